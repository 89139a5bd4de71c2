/**
 * Who is believed to call from where and for how long, at which doors calls are counted, and what day it is: with the proxies,
 * cookies, sessions and locks that a gateway in production has. production.test.ts feels the rates of one that nothing sets.
 */
import { isMerchantRole, type Role } from '@acopay/protocol/console'
import { addMerchant } from '@acopay/store'
import { addConsoleUser, beginSignIn, endSignIn } from '@acopay/store/console'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { changeOwnPassword } from '../apps/server/src/actions/console/account.ts'
import { beginSession, inSession, proveAgain, sessionKey } from '../apps/server/src/actions/console/session.ts'
import { changeUser, addUser as makeUser } from '../apps/server/src/actions/console/users.ts'
import { placeOrder } from '../apps/server/src/actions/order/place-order.ts'
import { countHourlyFigures } from '../apps/server/src/actions/statistics/count-hours.ts'
import { buildServer, NO_EXTRA_ROUTES } from '../apps/server/src/http/server.ts'
import { readConfig } from '../apps/server/src/start/config.ts'
import { type ConsoleClient, consoleClient } from './support/console.ts'
import { readAnswer, signedRequest } from './support/merchant.ts'
import { PASSWORD, PASSWORD_HASH } from './support/passwords.ts'
import { wrongRows } from './support/tables.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const MINUTE = 60_000

let gateway: TestWorld
const servers: FastifyInstance[] = []

/** A server of its own on the same world, as configured in production, with nothing but `env`. */
async function server(env: Record<string, string> = {}): Promise<string> {
  const config = readConfig({ ACOPAY_MODE: 'production', ...env }, '/nowhere')
  const app = buildServer(gateway.world, config, NO_EXTRA_ROUTES)
  servers.push(app)
  return app.listen({ host: '127.0.0.1', port: 0 })
}

async function addUser(username: string, role: Role, passwordHash = 'none'): Promise<void> {
  const mchNo = isMerchantRole(role) ? gateway.demo.mchNo : null
  const user = { username, role, mchNo, mustChangePassword: false, passwordHash }
  await addConsoleUser(gateway.database.pool, user, gateway.world.now())
}

beforeAll(async () => {
  gateway = await testWorld({ env: { ACOPAY_MODE: 'production', ACOPAY_RATE_PER_ADDRESS: '' } })
  await addUser('admin', 'platform_admin', PASSWORD_HASH)
  await addUser('waiting', 'finance', PASSWORD_HASH)
  await addUser('finance', 'finance')
  await addUser('locked', 'finance')
  await addUser('guessed', 'finance', PASSWORD_HASH)
  await addUser('leaver', 'finance', PASSWORD_HASH)
})
afterAll(async () => {
  for (const app of servers) {
    // One that was opened and never used keeps a server for 75 s.
    app.server.closeAllConnections()
    await app.close()
  }
  await gateway.stop()
})

const signIn = (url: string, body: object, headers: Record<string, string> = {}) =>
  consoleClient(url).send('POST', 'session', body, headers)

it('sign-ins: who leaves while others wait for their passwords costs no work, and leaves no line in the audit log', async () => {
  const url = await server()
  const { hashing } = gateway.world
  const { takePlace } = hashing
  const callers: AbortSignal[] = []
  let begin = (): void => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  hashing.takePlace = (caller) => {
    if (caller?.signal !== undefined) callers.push(caller.signal)
    const place = takePlace(caller)
    return { ...place, derive: (ask) => begun.then(() => place.derive(ask)) }
  }
  // The one that leaves is behind these.
  const before = Array.from({ length: 4 }, () => signIn(url, { username: 'waiting', password: 'x' }))
  const leaving = new AbortController()
  const left = fetch(`${url}/console/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'leaver', password: 'x' }),
    signal: leaving.signal,
  }).catch((error: Error) => error.name)
  const counted = async (): Promise<number> => {
    const { rows } = await gateway.database.pool.query(`select failures from console_sign_in where username = 'leaver'`)
    return rows[0]?.failures ?? 0
  }
  // It has its place in the queue.
  await expect.poll(counted).toBe(1)
  leaving.abort()
  expect(await left).toBe('AbortError')
  await expect.poll(() => callers.filter(({ aborted }) => aborted)).toHaveLength(1)
  begin()
  for (const { status } of await Promise.all(before)) expect(status).toBe(401)
  expect((await signIn(url, { username: 'admin', password: PASSWORD })).status).toBe(200)
  const { rows } = await gateway.database.pool.query(
    `select username, count(*)::int as lines from console_audit where action = 'session.begin' group by 1 order by 1`,
  )
  expect(rows).toEqual([
    { username: 'admin', lines: 1 },
    { username: 'waiting', lines: 4 },
  ])
  hashing.takePlace = takePlace
})

it('calls: as many at once as two seconds are worth and not one more, at every door that anyone may knock at', async () => {
  // One a second, so that a test can reach it at each door; production.test.ts feels the default.
  const url = await server({ ACOPAY_RATE_PER_ADDRESS: '1', ACOPAY_TRUSTED_PROXIES: '1' })
  const doors: [method: string, path: string, refused: string][] = [
    ['POST', '/pay/v1/transactions/close', '1017'],
    ['GET', '/pay/v1/transactions/trade', '1017'],
    ['GET', '/console/api/session', '429'],
    ['GET', '/console/api/orders', '429'],
    ['GET', '/console/api/orders.csv', '429'],
    ['POST', '/console/api/session', '429'],
    ['GET', '/cashier/MCH1/AP1/proof', '429'],
    ['GET', '/cashier/MCH1/AP1/proof/state', '429'],
    ['GET', '/cashier/pay', '429'],
    ['GET', '/console', '429'],
    ['GET', '/console/orders', '429'],
    ['POST', '/notify/wechat/MCH1', '429'],
    ['POST', '/notify/alipay/MCH1', '429'],
    ['GET', '/bills/MCH1/2026-01-30/1/proof', '429'],
    ['GET', '/healthz', '429'],
    ['GET', '/readyz', '429'],
    ['GET', '/openapi.json', '429'],
    ['GET', '/reference', '429'],
    ['GET', '/there/is/no/such/path', '429'],
  ]
  const said: string[] = []
  for (const [index, [method, path]] of doors.entries()) {
    const ask = async (): Promise<string> => {
      const response = await fetch(url + path, { method, headers: { 'x-forwarded-for': `198.51.100.${index}` } })
      const text = await response.text()
      const status = path.startsWith('/pay/') ? String(JSON.parse(text).status) : String(response.status)
      const again = response.headers.get('retry-after')
      return again === null ? status : `${status},${again}`
    }
    said.push([await ask(), await ask(), await ask()].join(' '))
  }
  expect(
    wrongRows(doors, ([method, path, refused], index) => {
      const [first, second, third] = (said[index] ?? '').split(' ')
      const isRefusedOnlyThen = first === second && first !== refused && third === `${refused},1`
      return [`${method} ${path}: ${said[index]}`, isRefusedOnlyThen, true]
    }),
  ).toEqual([])
})

it('an address that a stranger claims is not believed; that of a trusted proxy is, the last one for each proxy', async () => {
  const { database, demo } = gateway
  const known = '203.0.113.5'
  await database.pool.query('update merchant set allowed_ips = $1 where mch_no = $2', [[known], demo.mchNo])
  const rows: [proxies: number, claimed: string | null, believed: boolean][] = [
    [0, null, false],
    [0, known, false],
    [0, `${known}, 127.0.0.1`, false],
    [1, null, false],
    [1, known, true],
    [1, ` ${known} `, true],
    [1, `::ffff:${known}`, true],
    [1, `198.51.100.1, ${known}`, true],
    [1, `${known}, 198.51.100.1`, false],
    [1, '203.0.113.6', false],
    [1, `${known}:4711`, false],
    [1, 'unknown', false],
    [1, '', false],
    [2, known, true],
    [2, `${known}, 198.51.100.1`, true],
    [2, `198.51.100.2, ${known}, 198.51.100.1`, true],
    [2, `${known}, 198.51.100.2, 198.51.100.1`, false],
  ]
  const urls = [
    await server(),
    ...(await Promise.all(['1', '2'].map((count) => server({ ACOPAY_TRUSTED_PROXIES: count })))),
  ]
  const said: string[] = []
  for (const [proxies, claimed] of rows) {
    const { url, ...init } = await signedRequest(
      { ...demo, baseUrl: urls[proxies] as string },
      {
        method: 'GET',
        path: 'trade',
        params: { transaction_no: 'AP1' },
        headers: { 'x-forwarded-for': claimed, forwarded: `for=${known}`, 'x-real-ip': known },
      },
    )
    said.push((await readAnswer(demo, await fetch(url, init))).message)
  }
  await database.pool.query(`update merchant set allowed_ips = '{}'`)
  expect(
    wrongRows(rows, ([proxies, claimed, believed], index) => [
      `${proxies} proxies, ${claimed}`,
      said[index],
      believed ? 'ORDER_NOT_EXIST' : 'IP_FORBIDDEN',
    ]),
  ).toEqual([])
})

it('the audit log names the address that called, not the one that was claimed', async () => {
  const { pool } = gateway.database
  const addressOf = async (env: Record<string, string>): Promise<string> => {
    const url = await server(env)
    await signIn(url, { username: 'finance', password: 'wrong' }, { 'x-forwarded-for': '203.0.113.7' }).catch(() => {})
    const { rows } = await pool.query<{ address: string }>(
      'select address from console_audit order by audit_no desc limit 1',
    )
    return rows[0]?.address ?? ''
  }
  await pool.query(
    `update console_user set password_hash = (select password_hash from console_user where username = 'admin') where username = 'finance'`,
  )
  expect(await addressOf({})).toBe('127.0.0.1')
  gateway.advance(1)
  expect(await addressOf({ ACOPAY_TRUSTED_PROXIES: '1' })).toBe('203.0.113.7')
})

it('a cookie is for https only where the address of the gateway is, and a console is not shown in frames', async () => {
  const right = { username: 'admin', password: PASSWORD }
  for (const [url, isSecure] of [
    ['https://pay.example.com', true],
    ['http://pay.example.com', false],
    ['', false],
  ] as const) {
    gateway.advance(1000)
    const { headers } = await signIn(await server({ ACOPAY_PUBLIC_URL: url }), right)
    const [cookie = '', device = ''] = headers.getSetCookie()
    // Browsers take `__Host-` only with Secure, for all paths and without a domain (RFC 6265bis, 4.1.3.2).
    const name = isSecure ? '__Host-acopay_console' : 'acopay_console'
    const [pair = '', ...attributes] = cookie.split('; ')
    expect(pair, url).toMatch(new RegExp(`^${name}=[0-9a-f]{64}$`))
    const path = isSecure ? 'Path=/' : 'Path=/console'
    expect(attributes.sort(), url).toEqual([
      'HttpOnly',
      path,
      ...(isSecure ? ['SameSite=Strict', 'Secure'] : ['SameSite=Strict']),
    ])
    // The browser is known for a year; the session ends with the browser.
    const [ofDevice = '', ...deviceAttributes] = device.split('; ')
    expect(ofDevice.split('=')[0], url).toBe(name.replace('console', 'device'))
    expect(deviceAttributes.sort(), url).toEqual(['Max-Age=31536000', ...attributes].sort())
    expect(headers.get('strict-transport-security'), url).toBe(isSecure ? 'max-age=31536000' : null)
    expect(cookie).not.toMatch(/expires|max-age|domain/i)
    expect([
      headers.get('x-frame-options'),
      headers.get('x-content-type-options'),
      headers.get('cache-control'),
    ]).toEqual(['DENY', 'nosniff', 'no-store'])
  }
})

it('a session goes on with the cookie that was given for https, and with no other name', async () => {
  gateway.advance(1000)
  const url = await server({ ACOPAY_PUBLIC_URL: 'https://pay.example.com' })
  const { headers } = await signIn(url, { username: 'admin', password: PASSWORD })
  const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const told = async (sent: string) => (await consoleClient(url, sent).get('session')).body
  expect(await told(cookie)).toMatchObject({ username: 'admin' })
  expect(await told(cookie.replace('__Host-', ''))).toBeNull()
  const admin = consoleClient(url, cookie, await told(cookie))
  const ended = await admin.send('DELETE', 'session')
  expect(ended.headers.get('set-cookie')).toMatch(/^__Host-acopay_console=; .*Path=\/; .*Secure/)
  expect(await told(cookie)).toBeNull()
})

it('every answer of a gateway behind https tells browsers to come over https only', async () => {
  const url = await server({ ACOPAY_PUBLIC_URL: 'https://pay.example.com' })
  for (const path of ['/healthz', '/nothing', '/console/', '/cashier/%zz', '/openapi.json', '/console/api/orders']) {
    const { headers } = await fetch(url + path)
    expect(headers.get('strict-transport-security'), path).toBe('max-age=31536000')
  }
})

it('a call of the console that a browser makes for another site is refused, also for a site of the same domain', async () => {
  const url = gateway.demo.baseUrl
  const cookie = `acopay_console=${await beginSession(gateway.world, 'finance', '127.0.0.1')}`
  const asked = async (method: string, path: string, site: string | null) => {
    const headers = { cookie, 'content-type': 'application/json', ...(site === null ? {} : { 'sec-fetch-site': site }) }
    const { status } = await fetch(url + path, { method, headers, ...(method === 'GET' ? {} : { body: '{}' }) })
    return status
  }
  for (const site of ['cross-site', 'same-site', 'anything']) {
    expect(await asked('GET', '/console/api/merchants', site), site).toBe(403)
    expect(await asked('POST', '/console/api/session', site), site).toBe(403)
    expect(await asked('DELETE', '/console/api/session', site), site).toBe(403)
    // A link from another site leads to a page, which then asks by itself.
    expect(await asked('GET', '/console/', site), site).not.toBe(403)
  }
  for (const site of ['same-origin', 'none', null]) {
    expect(await asked('GET', '/console/api/merchants', site), String(site)).toBe(200)
    expect(await asked('POST', '/console/api/session', site), String(site)).toBe(400)
  }
})

/** A session of `finance` that begins now; the answers to its calls. */
async function session() {
  const url = gateway.demo.baseUrl
  const cookie = `acopay_console=${await beginSession(gateway.world, 'finance', '127.0.0.1')}`
  const client = consoleClient(url, cookie)
  const idle = async (path: string): Promise<number> =>
    (await fetch(`${url}/console/api/${path}`, { headers: { cookie, 'x-acopay-idle': '1' } })).status
  return { isOpen: async () => (await client.get('merchants')).status === 200, idle, client }
}

it('a session ends half an hour after its last call, and not a millisecond before', async () => {
  const [left, touched, watched] = [await session(), await session(), await session()]
  // What the page is told, in seconds.
  expect((await left.client.get('session')).body.idle_s).toBe(1800)
  gateway.advance(30 * MINUTE - 1)
  // A page that looks by itself finds the session open, and does not keep it open.
  expect(await watched.idle('merchants')).toBe(200)
  expect(await touched.isOpen()).toBe(true)
  gateway.advance(1)
  expect(await left.isOpen()).toBe(false)
  expect(await watched.idle('merchants')).toBe(401)
  expect((await watched.client.get('session')).body).toBeNull()
  gateway.advance(30 * MINUTE - 2)
  expect(await touched.isOpen()).toBe(true)
  gateway.advance(30 * MINUTE)
  expect(await touched.isOpen()).toBe(false)
})

it('a session ends twelve hours after it began, however often it is used', async () => {
  const busy = await session()
  for (let minutes = 20; minutes < 12 * 60; minutes += 20) {
    gateway.advance(20 * MINUTE)
    expect(await busy.isOpen(), `after ${minutes} minutes`).toBe(true)
  }
  gateway.advance(20 * MINUTE - 1)
  expect(await busy.isOpen()).toBe(true)
  gateway.advance(1)
  expect(await busy.isOpen()).toBe(false)
})

it('a session ends at once when its user is disabled, and does what the role of this moment may', async () => {
  const one = await session()
  const set = (what: string) =>
    gateway.database.pool.query(`update console_user set ${what} where username = 'finance'`)
  expect((await one.client.get('reconciliations')).status).toBe(200)
  await set(`role = 'merchant_viewer', mch_no = '${gateway.demo.mchNo}'`)
  expect((await one.client.get('reconciliations')).status).toBe(403)
  await set(`role = 'finance', mch_no = null, enabled = false`)
  expect(await one.isOpen()).toBe(false)
  await set('enabled = true')
  expect(await one.isOpen()).toBe(true)
})

it('a name is locked from the fifth failure on: a minute, then twice as long each time, an hour at most', async () => {
  const { pool } = gateway.database
  const nowMs = gateway.world.now().getTime()
  const from = { username: 'locked', origin: '203.0.113.7' }
  const tryAt = async (ms: number): Promise<boolean> => (await beginSignIn(pool, from, new Date(nowMs + ms))) !== null
  const rows: [name: string, atMs: number, isLooked: boolean][] = []
  const five = (atMs: number): void => {
    for (let failure = 1; failure <= 5; failure += 1) rows.push([`failure ${failure} at ${atMs}`, atMs, true])
  }
  five(0)
  let openMs = 0
  for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
    openMs += minutes * MINUTE
    rows.push([`${minutes} minutes, less a millisecond`, openMs - 1, false], [`${minutes} minutes`, openMs, true])
  }
  const said: boolean[] = []
  for (const [, atMs] of rows) said.push(await tryAt(atMs))
  await endSignIn(pool, from, null)
  const before = rows.length
  five(openMs)
  rows.push(['a sixth failure', openMs, false])
  for (const [, atMs] of rows.slice(before)) said.push(await tryAt(atMs))
  expect(wrongRows(rows, ([name, , isLooked], index) => [name, said[index], isLooked])).toEqual([])
})

it('who guesses locks a name for their own address only: the user signs in from another one, and proves who they are', async () => {
  const url = await server({ ACOPAY_TRUSTED_PROXIES: '1' })
  const from = (address: string, password: string) =>
    signIn(url, { username: 'guessed', password }, { 'x-forwarded-for': address })
  const { world, database } = gateway
  const guessed = { username: 'guessed', origin: '203.0.113.9' }
  for (let failure = 1; failure <= 5; failure += 1) await beginSignIn(database.pool, guessed, world.now())
  expect((await from('203.0.113.9', PASSWORD)).status).toBe(401)
  expect((await from('203.0.113.8', PASSWORD)).status).toBe(200)
  const second = { code: null, passkey: null, site: null }
  const prove = async () =>
    await proveAgain(world, { username: 'guessed', password: PASSWORD, second, key: sessionKey('x') })
  expect(await prove()).toBe('proven')
  // Guesses in an open session lock the user's sessions, and no sign-in.
  for (let failure = 1; failure <= 5; failure += 1) await beginSignIn(database.pool, inSession('guessed'), world.now())
  expect(await prove()).toBe('wrong_password')
  expect((await from('203.0.113.8', PASSWORD)).status).toBe(200)
  // A sign-in forgets what is a day old.
  gateway.advance(24 * 60 * MINUTE + 1)
  expect((await from('203.0.113.8', PASSWORD)).status).toBe(200)
  const { rows } = await database.pool.query(`select * from console_sign_in where username = 'guessed'`)
  expect(rows).toEqual([])
})

it('a browser in which a user signed in is known: strangers keep its user neither locked out nor waiting', async () => {
  const url = await server()
  const { world, database } = gateway
  const right = { username: 'guessed', password: PASSWORD }
  const first = await signIn(url, right)
  const device = /acopay_device=([^;]+); Max-Age=31536000; Path=\/console; HttpOnly; SameSite=Strict/.exec(
    first.headers.get('set-cookie') ?? '',
  )?.[1]
  expect(device).toMatch(/^[0-9a-f]{32}\.[\w-]{43}$/)
  const known = { cookie: `acopay_device=${device}` }
  // The same address, locked by somebody behind the same gateway of an office.
  const office = { username: 'guessed', origin: '127.0.0.1' }
  for (let failure = 1; failure <= 5; failure += 1) await beginSignIn(database.pool, office, world.now())
  expect((await signIn(url, right)).status).toBe(401)
  const again = await signIn(url, right, known)
  expect([again.status, again.headers.get('set-cookie')]).toEqual([200, expect.not.stringContaining('acopay_device')])
  // What is known of one user says nothing of another.
  expect((await signIn(url, { username: 'waiting', password: 'x' }, known)).status).toBe(401)
  // It has a count of its own.
  const own = { username: 'guessed', origin: `device ${device?.split('.')[0]}` }
  for (let failure = 1; failure <= 5; failure += 1) await beginSignIn(database.pool, own, world.now())
  expect((await signIn(url, right, known)).status).toBe(401)
  gateway.advance(MINUTE)
  expect((await signIn(url, right, known)).status).toBe(200)
  await database.pool.query(`delete from console_sign_in where username in ('guessed', 'waiting')`)
})

it('a user whose open sessions are locked asks for a new password as often as it likes, and takes no place from those who sign in', async () => {
  const url = await server()
  const { world, database } = gateway
  const token = await beginSession(world, 'locked', '127.0.0.1')
  for (let failure = 1; failure <= 5; failure += 1) await beginSignIn(database.pool, inSession('locked'), world.now())
  const cookie = `acopay_console=${token}`
  const session = (await consoleClient(url, cookie).get('session')).body
  const locked = consoleClient(url, cookie, session)
  const change = { password: 'x', new_password: 'another long password' }
  // More than there are places.
  for (let times = 1; times <= 20; times += 1) {
    expect((await locked.send('PUT', 'session/password', change)).body).toMatchObject({ field: 'password' })
  }
  expect((await signIn(url, { username: 'admin', password: PASSWORD })).status).toBe(200)
  await endSignIn(database.pool, inSession('locked'), null)
})

it('a user sees from where they are signed in, and ends one session after the other; nobody sees or ends that of another', async () => {
  const url = await server()
  const { world, database } = gateway
  const open = async (username: string, address: string): Promise<ConsoleClient> => {
    const cookie = `acopay_console=${await beginSession(world, username, address)}`
    gateway.advance(MINUTE)
    return consoleClient(url, cookie, (await consoleClient(url, cookie).get('session')).body)
  }
  await database.pool.query(`delete from console_session where username in ('admin', 'finance')`)
  const startMs = world.now().getTime()
  const at = (minutes: number): string => new Date(startMs + minutes * MINUTE).toISOString()
  const [desk, phone, stranger] = [
    await open('admin', '10.0.0.1'),
    await open('admin', '10.0.0.2'),
    await open('finance', '10.0.0.3'),
  ]
  const { rows } = (await desk.get('sessions')).body
  const id = expect.stringMatching(/^[0-9a-f]{16}$/)
  // What was used last is noted to the minute.
  expect(rows).toEqual([
    { id, address: '10.0.0.1', created_at: at(0), seen_at: at(3), is_this: true },
    { id, address: '10.0.0.2', created_at: at(1), seen_at: at(1), is_this: false },
  ])
  expect((await stranger.send('DELETE', `sessions/${rows[1].id}`)).status).toBe(404)
  expect((await phone.get('sessions')).body.rows).toHaveLength(2)
  expect((await desk.send('DELETE', `sessions/${rows[1].id}`)).status).toBe(200)
  expect((await phone.get('sessions')).status).toBe(401)
  expect((await desk.send('DELETE', `sessions/${rows[1].id}`)).status).toBe(404)
  expect((await desk.get('sessions')).body.rows).toHaveLength(1)
  // One that has ended is not shown, also before it is removed.
  gateway.advance(29 * MINUTE)
  const later = await open('admin', '10.0.0.4')
  expect((await later.get('sessions')).body.rows).toMatchObject([{ address: '10.0.0.4', is_this: true }])
})

it('a one-time password ends three days after it was made, and the one that the user chose then never does', async () => {
  const url = await server()
  const { world } = gateway
  const threeDays = 72 * 60 * MINUTE
  const password = (await makeUser(world, { username: 'late', role: 'finance', mchNo: null })) ?? ''
  gateway.advance(threeDays - 1)
  expect((await signIn(url, { username: 'late', password })).body).toMatchObject({ must_change_password: true })
  gateway.advance(1)
  const { status, body } = await signIn(url, { username: 'late', password })
  expect([status, body.message.zh]).toEqual([401, '一次性密码72小时内有效，现已失效；请管理员重置'])
  const reset = { role: null, isEnabled: null, unlock: false, resetPassword: true, dropSecondFactor: false }
  const again = (await changeUser(world, 'late', reset)) ?? ''
  expect((await signIn(url, { username: 'late', password: again })).status).toBe(200)
  const fresh = 'some words that nobody guesses'
  await changeOwnPassword(world, { username: 'late', password: again, fresh, address: '127.0.0.1' })
  gateway.advance(threeDays)
  expect((await signIn(url, { username: 'late', password: fresh })).status).toBe(200)
})

it('today begins at midnight in China, not in UTC, also at the end of a year', async () => {
  const { world, database, demo } = gateway
  const goTo = (time: string): void => gateway.advance(Date.parse(time) - world.now().getTime())
  let orders = 0
  const placed = async (): Promise<void> => {
    orders += 1
    const order = await placeOrder(world, {
      mchNo: demo.mchNo,
      appNo: demo.appNo,
      mchTradeNo: `around-midnight-in-china-${orders}`,
      description: 'x',
      askedExpire: null,
      extra: null,
      amountFen: 1250n as Parameters<typeof placeOrder>[1]['amountFen'],
      notifyUrl: null,
      nonce: null,
    })
    expect(order.kind).toBe('placed')
  }
  goTo('2026-12-30T23:59:59.999+08:00')
  await placed()
  goTo('2026-12-31T00:00:00+08:00')
  await placed()
  await placed()
  goTo('2026-12-31T23:59:59.999+08:00')
  await placed()
  await addMerchant(database.pool, { mchNo: 'MCH2', name: 'x' }, world.now())
  const rows: [time: string | null, today: number, yesterday: number, days: number[]][] = [
    [null, 3, 1, [1, 3]],
    ['2027-01-01T00:00:00+08:00', 0, 3, [3, 0]],
    ['2027-01-01T07:59:59.999+08:00', 0, 3, [3, 0]],
    // Midnight in UTC changes nothing.
    ['2027-01-01T08:00:00+08:00', 0, 3, [3, 0]],
    ['2027-01-01T23:59:59.999+08:00', 0, 3, [3, 0]],
    ['2027-01-02T00:00:00+08:00', 0, 0, [0, 0]],
  ]
  const said: string[] = []
  for (const [time] of rows) {
    if (time !== null) goTo(time)
    await countHourlyFigures(world)
    const { client } = await session()
    const { body } = await client.get('overview')
    const days = body.days.slice(-2).map(({ placed: count }: { placed: number }) => count)
    said.push(JSON.stringify([body.today.placed, body.yesterday.placed, days]))
  }
  expect(
    wrongRows(rows, ([time, ...expected], index) => [
      time ?? 'the last millisecond of 2026',
      said[index],
      JSON.stringify(expected),
    ]),
  ).toEqual([])
})
