/**
 * What operators leave as it is: a gateway with exactly the defaults of a production start. Each limit is felt at the last allowed value
 * and at the first refused one. docs/settings-tested.md lists which test feels which setting.
 */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { keyText } from '@acopay/protocol'
import { addMerchant, addPlatformKey } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadMasterKeys, seal } from '../apps/server/src/security/vault.ts'
import { addUser, consoleClient, PASSWORD } from './support/console.ts'
import { testStart } from './support/manual-clock.ts'
import { call, close, orderParams, place } from './support/merchant.ts'
import { type Production, productionGateway } from './support/production.ts'
import { takenTimers } from './support/taken-timers.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** The worker, the notifier, the writer of the log of calls and the teller of other gateways, when each has nothing to do. */
const SLEEPERS = 4

let production: Production
let upstream: SilentUpstream
/** What the gateway does once a minute; the test does it in its place. */
let everyMinute: (() => unknown)[]
beforeAll(async () => {
  upstream = await silentUpstream()
  const taken = takenTimers('setInterval', MINUTE)
  production = await productionGateway(testStart())
  everyMinute = taken.calls
  taken.giveBack()
  await production.addAccount(upstream.url)
})
afterAll(async () => {
  await production.stop()
  await upstream.stop()
})

const advance = (ms: number): void => production.clock.advance(ms)

describe('a production start', () => {
  it('has the settings of the manual', () => {
    const { home: _home, masterKeys: _masterKeys, databaseUrl: _databaseUrl, ...settings } = production.config
    expect(settings).toEqual({
      platformKeys: [],
      signer: null,
      host: '127.0.0.1',
      // Set by the test: 8080 may be taken.
      port: 0,
      mode: 'production',
      migrate: 'never',
      publicUrl: 'https://pay.example.com',
      logLevel: 'info',
      closeBudgetMs: 6000,
      channelCallMs: 2000,
      leaseMs: 15_000,
      nonceWindowMs: 86_400_000,
      jobPauseMs: 1000,
      poolMax: 16,
      drainMs: 5000,
      processes: 'auto',
      jobProcesses: 2,
      ratePerAddress: 5000,
      ratePerMerchant: 0,
      shellOrigins: [],
      callLogMax: 1000,
      logFormat: 'auto',
      metricsToken: null,
      metricsPort: null,
      traces: null,
      auditDays: 0,
      tryDays: 400,
      hourDays: 400,
      reconciliationDays: 1830,
      trustedProxies: 0,
      totpRoles: [],
      sandboxExposed: 'no',
      proofAboveFen: 100_000n,
      secondPersonAboveFen: null,
      oidcIssuer: null,
      oidcClientId: null,
      oidcClientSecret: null,
      oidcName: null,
      bulkAloneMax: null,
      notifyPorts: [443],
      notifyNetworks: [],
    })
    expect(production.config.host).toBe(new URL(production.gateway.url).hostname)
  })

  it('has no demo merchant, no console user and no path of the sandbox', async () => {
    const { gateway, database, demo } = production
    expect(gateway).toMatchObject({ sandbox: null })
    const { rows } = await database.pool.query(
      'select mch_no from merchant union all select username from console_user',
    )
    expect(rows).toEqual([{ mch_no: demo.mchNo }])
    for (const path of ['/sandbox/', '/sandbox/time', '/sandbox/upstreams/wechat/taken', '/console/api/sandbox']) {
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

describe('pauses', () => {
  const idle = () => expect.poll(() => production.clock.sleeping(SECOND)).toBe(SLEEPERS)
  /** Moves the clock. If the worker slept for a second by then, it has done all there is when this answers the time. */
  const pass = async (ms: number): Promise<number> => {
    advance(ms)
    await idle()
    return production.clock.now().getTime()
  }

  // First of those that move the clock: whatever is being counted while it moves counts as long.
  it('between two countings for the overview are 15 s, and twenty times as long as the last one took', async () => {
    const { pool } = production.database
    const counted = async (at: number): Promise<number> => {
      const text = `select from order_hour where mch_no = '*' and counted_at = $1`
      return (await pool.query(text, [new Date(at)])).rowCount ?? 0
    }
    /** The worker has read the answers to its statements. */
    const ping = async () => {
      for (const _ of [1, 2, 3]) await (await fetch(`${production.gateway.url}/readyz`)).text()
    }
    const start = await pass(0)
    // The hours of 31 days, one by one.
    await expect.poll(() => counted(start), { timeout: 240_000 }).toBe(744)
    // The page of figures is counted after it, in the same round.
    const figures = async (at: number) =>
      (await pool.query('select from figure where counted_at = $1', [new Date(at)])).rowCount
    await expect.poll(() => figures(start)).toBeGreaterThan(0)
    await ping()
    // Twenty minutes past an hour: that hour, the one before, and the one before that where ten minutes had not passed since it.
    const first = await pass(HOUR - (start % HOUR) + 20 * MINUTE)
    await expect.poll(() => counted(first)).toBe(start % HOUR < 10 * MINUTE ? 3 : 2)
    await expect.poll(() => figures(first)).toBeGreaterThan(0)
    await ping()
    const tooEarly = await pass(15 * SECOND - 1)
    await ping()
    expect(await counted(tooEarly)).toBe(0)
    const second = await pass(SECOND)
    await expect.poll(() => counted(second)).toBe(1)
    await ping()
    await pass(14 * SECOND)
    const blocker = await pool.connect()
    await blocker.query('begin')
    await blocker.query('lock table order_hour in access exclusive mode')
    const third = await pass(SECOND)
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await expect.poll(async () => (await pool.query(waiting)).rowCount).toBe(1)
    await pass(2 * SECOND)
    await blocker.query('rollback')
    blocker.release()
    await expect.poll(() => counted(third)).toBe(1)
    await ping()
    const stillTooEarly = await pass(40 * SECOND - 1)
    await ping()
    expect(await counted(stillTooEarly)).toBe(0)
    const fourth = await pass(SECOND)
    await expect.poll(() => counted(fourth)).toBe(1)
  })

  it('between two plans of the daily jobs are a minute', async () => {
    const { pool } = production.database
    const newMerchant = (mchNo: string) =>
      addMerchant(pool, { mchNo, name: 'x' }, new Date(production.clock.now().getTime() - 72 * HOUR))
    const isPlanned = async (mchNo: string): Promise<boolean> => {
      const text = 'select from job where mch_no = $1 union all select from bill where mch_no = $1'
      return (await pool.query(text, [mchNo])).rowCount !== 0
    }
    await pass(2 * MINUTE)
    await newMerchant('MCH-NEW-1')
    await pass(MINUTE - 1)
    expect(await isPlanned('MCH-NEW-1')).toBe(false)
    await pass(SECOND)
    expect(await isPlanned('MCH-NEW-1')).toBe(true)
    await newMerchant('MCH-NEW-2')
    await pass(MINUTE - SECOND)
    expect(await isPlanned('MCH-NEW-2')).toBe(false)
    await pass(SECOND)
    expect(await isPlanned('MCH-NEW-2')).toBe(true)
  })

  it('until every process signs with a key that was added are a minute', async () => {
    const { pool } = production.database
    const { demo, config, clock } = production
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const privateKeySealed = seal(loadMasterKeys(config), 'platform_key/new', keyText(privateKey))
    const key = { keyId: 'new', publicKey: keyText(publicKey), privateKeySealed, validFrom: clock.now() }
    await addPlatformKey(pool, key)
    // Throws where another key has signed the answer.
    const ask = (platformPublicKey: string) =>
      call({ ...demo, platformPublicKey }, { method: 'GET', path: 'bill', params: { bill_date: 'x' } })
    await ask(demo.platformPublicKey)
    for (const refresh of everyMinute) await refresh()
    await ask(key.publicKey)
    await pool.query(`delete from platform_key where key_id = 'new'`)
    for (const refresh of everyMinute) await refresh()
    await ask(demo.platformPublicKey)
  })

  it('for which a caller that asks nothing can hold up a stop are 10 s', async () => {
    const another = await production.startAnother({ ACOPAY_DRAIN_MS: '0' })
    const { hostname, port } = new URL(another.url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    await (await fetch(`${another.url}/readyz`)).text()
    const taken = takenTimers('setTimeout', 10 * SECOND)
    let isCut = false
    const cut = once(socket.resume(), 'close').then(() => {
      isCut = true
    })
    const stopped = another.stop()
    taken.giveBack()
    expect(taken.calls).toHaveLength(1)
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    expect(isCut).toBe(false)
    taken.calls[0]?.()
    await cut
    await stopped
  })
})

describe('the console', () => {
  const visitor = () => consoleClient(production.gateway.url)
  const signIn = async (username: string, password: string) =>
    visitor().send('POST', 'session', { username, password }, {})

  it('lets ten sign-ins through at once from one address, and five more each second', async () => {
    advance(MINUTE)
    await addUser(production, 'right', 'finance')
    const right = () => signIn('right', PASSWORD)
    // A body that is no JSON is counted, and costs no password. No proxy was named, so that each comes from one address.
    let claimed = 0
    const statuses = async (count: number): Promise<number[]> => {
      const tries = Array.from({ length: count }, () => {
        claimed += 1
        const headers = { 'content-type': 'text/plain', 'x-forwarded-for': `203.0.113.${claimed}` }
        return visitor().send('POST', 'session', undefined, headers)
      })
      return (await Promise.all(tries)).map(({ status }) => status).sort()
    }
    expect(await statuses(11)).toEqual([...Array(10).fill(400), 429])
    const refused = await right()
    expect(refused).toMatchObject({ status: 429, body: { error: 'FREQUENCY_LIMIT', retry_after_s: 1 } })
    expect([refused.headers.get('retry-after'), refused.headers.get('set-cookie')]).toEqual(['1', null])
    advance(199)
    expect(await statuses(1)).toEqual([429])
    advance(1)
    expect((await right()).status).toBe(200)
    expect(await statuses(1)).toEqual([429])
    advance(SECOND)
    expect(await statuses(6)).toEqual([...Array(5).fill(400), 429])
    // This is no limit on the other calls of the console.
    expect((await visitor().get('session')).status).toBe(200)
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
    advance(SECOND)
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
  const areIdle = () => expect.poll(() => production.clock.sleeping(SECOND)).toBe(SLEEPERS)
  /** The payer chooses WeChat Pay on the order's page. */
  const openWay = async (cashierUrl: string): Promise<Response> => {
    const body = JSON.stringify({ channel: 'wechat', method: 'native' })
    return fetch(`${production.gateway.url}${new URL(cashierUrl).pathname}/attempts`, { method: 'POST', body })
  }

  it('of a call to an upstream that says nothing is 2 s, and of a close 6 s in all', async () => {
    const { demo, database } = production
    const { data } = await call(demo, { method: 'POST', path: 'trade', params: orderParams(demo) })
    const [order, cashierUrl] = [data.transaction_no ?? '', data.cashier_url ?? '']
    const opening = openWay(cashierUrl)
    await Promise.race([upstream.heard(1), opening])
    advance(1999)
    expect(await isAnswered(opening), 'opening, after 1 999 ms').toBe(false)
    advance(1)
    await opening
    const closing = close(production.demo, order)
    // Its six seconds run since before it wrote this.
    const stateOf = async (): Promise<string> =>
      (await database.pool.query('select state from orders where transaction_no = $1', [order])).rows[0].state
    await expect.poll(stateOf).toBe('CLOSING')
    advance(5999)
    expect(await isAnswered(closing), 'closing, after 5 999 ms').toBe(false)
    advance(1)
    expect((await closing).data.description).toBe('关单处理中，请稍后查询')
  })

  it('during which a process holds a job is 15 s, and an idle one looks for work every second', async () => {
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
    const cookie = `__Host-acopay_console=${'a'.repeat(64)}`
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
