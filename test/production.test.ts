/**
 * What nobody sets: a gateway with exactly the defaults of a production start. Each limit is felt at the last allowed value
 * and at the first refused one. docs/settings-tested.md lists which test feels which setting.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { beginSignIn } from '@acopay/store/console'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addUser, consoleClient, PASSWORD } from './support/console.ts'
import { testStart } from './support/manual-clock.ts'
import { call, close, orderParams, place } from './support/merchant.ts'
import { type Production, productionGateway } from './support/production.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

let production: Production
let upstream: SilentUpstream
beforeAll(async () => {
  upstream = await silentUpstream()
  production = await productionGateway(testStart())
  await production.addAccount(upstream.url)
})
afterAll(async () => {
  await production.stop()
  await upstream.stop()
})

const advance = (ms: number): void => production.clock.advance(ms)

describe('a production start', () => {
  it('has the settings of the manual', () => {
    const { home: _home, masterKey: _masterKey, databaseUrl: _databaseUrl, ...settings } = production.config
    expect(settings).toEqual({
      host: '127.0.0.1',
      // Set by the test: 8080 may be taken.
      port: 0,
      mode: 'production',
      publicUrl: 'https://pay.example.com',
      logLevel: 'info',
      closeBudgetMs: 6000,
      channelCallMs: 2000,
      leaseMs: 15_000,
      nonceWindowMs: 86_400_000,
      jobPauseMs: 500,
      poolMax: 16,
      ratePerAddress: 5000,
      ratePerMerchant: 0,
      shellOrigins: [],
      trustedProxies: 0,
      sandboxAheadMs: 0,
      notifyPorts: [443],
      notifyNetworks: [],
    })
    expect(production.config.host).toBe(new URL(production.gateway.url).hostname)
  })

  it('has no demo merchant, no console user and no path of the sandbox', async () => {
    const { gateway, database, demo } = production
    expect(gateway).toMatchObject({ demoFile: null, consoleFile: null })
    const { rows } = await database.pool.query(
      'select mch_no from merchant union all select username from console_user',
    )
    expect(rows).toEqual([{ mch_no: demo.mchNo }])
    for (const path of ['/sandbox/', '/sandbox/upstreams/wechat/taken', '/console/api/sandbox']) {
      expect((await fetch(gateway.url + path)).status, path).toBe(404)
    }
  })

  it('sends payers to the public address, whose pages no other page may frame', async () => {
    const { data } = await call(production.demo, {
      method: 'POST',
      path: 'trade',
      params: orderParams(production.demo),
    })
    expect(data.cashier_url).toMatch(/^https:\/\/pay\.example\.com\/cashier\//)
    const page = await fetch(production.gateway.url + new URL(data.cashier_url ?? '').pathname)
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy.split(';').map((part) => part.trim())).toContain("frame-ancestors 'self'")
  })

  it('logs what happens, and no details', async () => {
    const levels = new Set(production.logged().map(({ level }) => level as number))
    expect(levels).toContain(30)
    expect(Math.min(...levels)).toBe(30)
  })

  it("calls no merchant's address but at port 443 of a public network", async () => {
    const told = async (notify_url: string): Promise<number> => {
      const params = orderParams(production.demo, { notify_url })
      return (await call(production.demo, { method: 'POST', path: 'trade', params })).status
    }
    expect(await told('https://shop.example.com/told')).toBe(200)
    const refused = [
      ...['https://shop.example.com:8443/told', 'https://shop.example.com:80/told', 'http://shop.example.com/told'],
      ...['https://127.0.0.1/told', 'https://10.1.2.3/told', 'https://192.168.1.1/told', 'https://[fd00::1]/told'],
    ]
    for (const url of refused) expect(await told(url), url).toBe(1001)
  })
})

describe('the console', () => {
  const visitor = () => consoleClient(production.gateway.url)
  const signIn = async (username: string, password: string) =>
    visitor().send('POST', 'session', { username, password }, {})
  const sessionOf = async (cookie: string) => (await consoleClient(production.gateway.url, cookie).get('session')).body
  const cookieOf = async (username: string): Promise<string> => {
    const { status, headers } = await signIn(username, PASSWORD)
    expect(status).toBe(200)
    return headers.get('set-cookie') ?? ''
  }

  it('lets ten sign-ins through at once from one address, and five more each second', async () => {
    advance(MINUTE)
    // A body that is no JSON is counted, and costs no password.
    const statuses = async (count: number): Promise<number[]> => {
      const tries = Array.from({ length: count }, () =>
        visitor().send('POST', 'session', undefined, { 'content-type': 'text/plain' }),
      )
      return (await Promise.all(tries)).map(({ status }) => status).sort()
    }
    expect(await statuses(11)).toEqual([...Array(10).fill(400), 429])
    advance(199)
    expect(await statuses(1)).toEqual([429])
    advance(1)
    expect(await statuses(2)).toEqual([400, 429])
    advance(SECOND)
    expect(await statuses(6)).toEqual([...Array(5).fill(400), 429])
  })

  it('believes nobody who says that he comes from elsewhere, as no proxy was named', async () => {
    advance(MINUTE)
    const from = (address: string) =>
      visitor().send('POST', 'session', undefined, { 'content-type': 'text/plain', 'x-forwarded-for': address })
    const answers = await Promise.all(Array.from({ length: 11 }, (_, index) => from(`203.0.113.${index}`)))
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(1)
  })

  it('keeps its cookie from scripts, from other sites and from plain HTTP', async () => {
    advance(MINUTE)
    await addUser(production, 'cookie', 'finance')
    const parts = (await cookieOf('cookie')).split('; ')
    expect(parts[0]).toMatch(/^acopay_console=[0-9a-f]{64}$/)
    expect(parts.slice(1).sort()).toEqual(['HttpOnly', 'Path=/console', 'SameSite=Strict', 'Secure'])
  })

  it('locks a name after five wrong passwords, for a minute to the millisecond', async () => {
    await addUser(production, 'locked', 'finance')
    for (let tries = 1; tries <= 5; tries += 1) {
      expect((await signIn('locked', 'not the password')).status, `try ${tries}`).toBe(401)
    }
    advance(MINUTE - 1)
    expect((await signIn('locked', PASSWORD)).status, 'the right one, 1 ms before').toBe(401)
    advance(1)
    expect((await signIn('locked', PASSWORD)).status).toBe(200)
  })

  it('locks it for longer each time: 1, 2, 4, 8, 16, 32 minutes, then an hour', async () => {
    await addUser(production, 'guessed', 'finance')
    const { pool } = production.database
    /** A try in vain, without the price of a password; null where the name is locked, else for how many minutes it is now. */
    const minutes = async (): Promise<number | null> => {
      const now = production.clock.now()
      if ((await beginSignIn(pool, 'guessed', now)) === null) return null
      const { rows } = await pool.query('select locked_until from console_user where username = $1', ['guessed'])
      return rows[0].locked_until === null ? 0 : (rows[0].locked_until.getTime() - now.getTime()) / MINUTE
    }
    const found: (number | null)[] = []
    for (let tries = 1; tries <= 12; tries += 1) {
      const lock = await minutes()
      found.push(lock)
      if (lock === null || lock === 0) continue
      advance(lock * MINUTE - 1)
      expect(await minutes(), `1 ms before the end of ${lock} min`).toBeNull()
      advance(1)
    }
    expect(found).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60])
  })

  it('ends a session after half an hour without a call, and not a millisecond sooner', async () => {
    advance(MINUTE)
    await addUser(production, 'idle', 'finance')
    const cookie = (await cookieOf('idle')).split(';')[0] ?? ''
    for (const times of [1, 2]) {
      advance(30 * MINUTE - 1)
      expect(await sessionOf(cookie), `call ${times}`).toMatchObject({ username: 'idle', idle_s: 1800 })
    }
    advance(30 * MINUTE)
    expect(await sessionOf(cookie)).toBeNull()
  })

  it('ends a session after twelve hours, however busy its user is', async () => {
    await addUser(production, 'busy', 'finance')
    const cookie = (await cookieOf('busy')).split(';')[0] ?? ''
    for (let passed = 0; passed < 12 * HOUR - 20 * MINUTE; passed += 20 * MINUTE) {
      advance(20 * MINUTE)
      expect(await sessionOf(cookie), `after ${passed / MINUTE + 20} min`).not.toBeNull()
    }
    advance(20 * MINUTE - 1)
    expect(await sessionOf(cookie), '1 ms before').not.toBeNull()
    advance(1)
    expect(await sessionOf(cookie)).toBeNull()
  })
})

describe('callers', () => {
  it('of one address may ask 10 000 times at once, which is two seconds of 5 000', async () => {
    advance(MINUTE)
    const statuses = await pipelined(production.gateway.url, '/console/api/session', 10_001)
    expect(statuses.filter((status) => status === 200)).toHaveLength(10_000)
    expect(statuses.at(-1)).toBe(429)
    advance(MINUTE)
  })

  it('may send 64 KiB at once, and not a byte more', async () => {
    const ask = async (bytes: number): Promise<number> => {
      const response = await fetch(`${production.gateway.url}/pay/v1/transactions/close`, {
        method: 'POST',
        body: 'x'.repeat(bytes),
      })
      await response.text()
      return response.status
    }
    expect(await ask(65_536)).toBe(200)
    expect(await ask(65_537)).toBe(413)
  })

  it('that are merchants have no limit of their own until one is set, and then exactly that', async () => {
    const { demo, database } = production
    const refused = async (count: number): Promise<number> => {
      const asked = Array.from({ length: count }, () =>
        call(demo, { method: 'GET', path: 'trade', params: { transaction_no: `AP${'1'.repeat(36)}` } }),
      )
      return (await Promise.all(asked)).filter(({ status }) => status === 1017).length
    }
    expect(await refused(60)).toBe(0)
    await database.pool.query('update merchant set rate_per_second = 3 where mch_no = $1', [demo.mchNo])
    advance(MINUTE)
    expect(await refused(10)).toBe(4)
    await database.pool.query('update merchant set rate_per_second = null where mch_no = $1', [demo.mchNo])
  })

  it('are taken at the address that connects, whatever they say, until a proxy is named', async () => {
    const { demo, database } = production
    await database.pool.query(`update merchant set allowed_ips = '{203.0.113.7}' where mch_no = $1`, [demo.mchNo])
    const ask = async (baseUrl: string, headers: Record<string, string>): Promise<number> => {
      const params = { transaction_no: `AP${'1'.repeat(36)}` }
      return (await call({ ...demo, baseUrl }, { method: 'GET', path: 'trade', params, headers })).status
    }
    const says = { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7', 'x-real-ip': '203.0.113.7' }
    const [forbidden, noSuchOrder] = [1018, 1007]
    expect(await ask(demo.baseUrl, {})).toBe(forbidden)
    expect(await ask(demo.baseUrl, says)).toBe(forbidden)
    const behindProxy = await production.startAnother({ ACOPAY_TRUSTED_PROXIES: '1' })
    try {
      expect(await ask(behindProxy.url, says)).toBe(noSuchOrder)
      const passedOn = { 'x-forwarded-for': '203.0.113.7, 198.51.100.1' }
      expect(await ask(behindProxy.url, passedOn), 'the proxy names another').toBe(forbidden)
    } finally {
      await behindProxy.stop()
    }
    await database.pool.query(`update merchant set allowed_ips = '{}' where mch_no = $1`, [demo.mchNo])
  })
})

describe('time', () => {
  /** Everything that the gateway was told to do before has been done when this answers. */
  const roundTrip = async (): Promise<void> => {
    for (let times = 0; times < 3; times += 1) await (await fetch(`${production.gateway.url}/readyz`)).text()
  }
  /** Answers whether it has been answered, as far as the gateway could. */
  const isAnswered = async (answer: Promise<unknown>): Promise<boolean> => {
    let done = false
    void answer.then(() => {
      done = true
    })
    await roundTrip()
    return done
  }
  /** The worker and the notifier have done all there is, and wait until they look again. */
  const areIdle = () => expect.poll(() => production.clock.sleeping(500)).toBe(2)
  /** The payer chooses WeChat Pay on the order's page. */
  const openWay = async (cashierUrl: string): Promise<Response> => {
    const body = JSON.stringify({ channel: 'wechat', method: 'native' })
    return fetch(`${production.gateway.url}${new URL(cashierUrl).pathname}/attempts`, { method: 'POST', body })
  }

  it('of a call to an upstream that says nothing is 2 s, and of a close 6 s in all', async () => {
    const { demo } = production
    const { data } = await call(demo, { method: 'POST', path: 'trade', params: orderParams(demo) })
    const [order, cashierUrl] = [data.transaction_no ?? '', data.cashier_url ?? '']
    const opening = openWay(cashierUrl)
    await Promise.race([upstream.heard(1), opening])
    advance(1999)
    expect(await isAnswered(opening), 'opening, after 1 999 ms').toBe(false)
    advance(1)
    await opening
    const closing = close(production.demo, order)
    let passed = 0
    for (let calls = upstream.count(); ; calls = upstream.count()) {
      const asked = upstream.heard(calls + 1).then(() => 'asked')
      if ((await Promise.race([asked, closing])) !== 'asked') break
      advance(1999)
      expect(await isAnswered(closing), `closing, after ${passed + 1999} ms`).toBe(false)
      advance(1)
      passed += 2000
    }
    expect((await closing).data.description).toBe('关单处理中，请稍后查询')
    expect(passed).toBe(6000)
  })

  it('during which a process holds a job is 15 s, and an idle one looks for work every 500 ms', async () => {
    const { pool } = production.database
    const jobs = async () =>
      (await pool.query<{ tries: number; due_at: Date }>("select tries, due_at from job where kind = 'shut_attempts'"))
        .rows
    const [before] = await jobs()
    expect(before).toBeDefined()
    const tries = before?.tries ?? 0
    await areIdle()
    advance((before?.due_at.getTime() ?? 0) - production.clock.now().getTime())
    await expect.poll(async () => (await jobs())[0]?.tries).toBe(tries + 1)
    expect((await jobs())[0]?.due_at.getTime()).toBe(production.clock.now().getTime() + 15_000)
  })

  it('during which a nonce is remembered is a day', async () => {
    const order = await place(production.demo)
    const nonce = 'n'.repeat(32)
    const closeAgain = () =>
      call(production.demo, { method: 'POST', path: 'close', params: { transaction_no: order }, nonce })
    const { pool } = production.database
    const remembered = async () => (await pool.query('select from nonce where nonce = $1', [nonce])).rowCount
    expect((await closeAgain()).status).toBe(200)
    await areIdle()
    advance(24 * HOUR - SECOND)
    await areIdle()
    expect((await closeAgain()).status).toBe(1016)
    advance(SECOND + 1)
    await expect.poll(remembered).toBe(0)
    expect((await closeAgain()).status).toBe(200)
  })
})

describe('the database', () => {
  it('is asked over sixteen connections of one process, and no more', async () => {
    const { pool } = production.database
    const blocker = await pool.connect()
    await blocker.query('begin')
    await blocker.query('lock table console_session in access exclusive mode')
    const cookie = `acopay_console=${'a'.repeat(64)}`
    const asking = Array.from({ length: 40 }, () => consoleClient(production.gateway.url, cookie).get('session'))
    const waiting = async () =>
      (
        await pool.query<{ count: number }>(
          `select count(*)::int as count from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`,
        )
      ).rows[0]?.count
    await expect.poll(waiting).toBe(16)
    await blocker.query('rollback')
    blocker.release()
    await Promise.all(asking)
  })
})

type SilentUpstream = {
  url: string
  /** Resolves once it has been asked for the nth time. */
  heard: (count: number) => Promise<void>
  count: () => number
  stop: () => Promise<void>
}

/** An upstream that takes every request and never answers. */
async function silentUpstream(): Promise<SilentUpstream> {
  let count = 0
  const waiting = new Set<() => void>()
  const server: Server = createServer(() => {
    count += 1
    for (const wake of waiting) wake()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => count,
    heard: (wanted) =>
      new Promise((resolve) => {
        const wake = (): void => {
          if (count < wanted) return
          waiting.delete(wake)
          resolve()
        }
        waiting.add(wake)
        wake()
      }),
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The statuses of many requests that are sent over one connection without waiting. */
async function pipelined(baseUrl: string, path: string, count: number): Promise<number[]> {
  const { hostname, port } = new URL(baseUrl)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`.repeat(count))
  const statuses: number[] = []
  let rest = ''
  for await (const chunk of socket) {
    const text = rest + String(chunk)
    const found = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)]
    statuses.push(...found.map(([, status]) => Number(status)))
    const last = found.at(-1)
    rest = last === undefined ? text.slice(-12) : text.slice(last.index + last[0].length).slice(-12)
    if (statuses.length >= count) break
  }
  socket.destroy()
  return statuses
}
