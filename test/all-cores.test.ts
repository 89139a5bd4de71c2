/** A gateway of several processes, the way operators run it: one parent, and workers that serve at one port. */

import './support/only-long.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { brokenAt, readTimeline } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startedOnce, type TestDatabase, testDatabase } from './support/database.ts'
import { close, openAttempt, place, query } from './support/merchant.ts'
import { PATIENT, type StartedProcess, spawnGateway, startProcess } from './support/process.ts'

const TOKEN = 'a-token-of-the-tests'
const WORK = { ACOPAY_JOB_PROCESSES: '1', ACOPAY_JOB_PAUSE_MS: '50' }

let home: string
let database: TestDatabase
let gateway: StartedProcess
const env = () => ({
  ACOPAY_HOME: home,
  DATABASE_URL: database.connectionString,
  ACOPAY_PROCESSES: '2',
  ...WORK,
  ...PATIENT,
})
beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'acopay-home-'))
  database = await testDatabase('started')
  startedOnce(home)
  gateway = await startProcess({ ...env(), ACOPAY_METRICS_TOKEN: TOKEN, LOG_LEVEL: 'info' })
})
afterAll(async () => {
  await gateway.end('SIGTERM')
  await database.drop()
  rmSync(home, { recursive: true })
})

type Line = { pid: number; worker?: number; workerPid?: number; path?: string; msg: string; alarm?: boolean }

const logged = (of = gateway): Line[] =>
  of
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)

/** The process that is this worker now. */
const pidOf = (worker: number): number | undefined => logged().findLast((line) => line.worker === worker)?.pid

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const answering = (asked: string): number[] =>
  [...new Set(logged().flatMap((line) => (line.path === asked && line.worker ? [line.worker] : [])))].sort()

/** Asks over a connection of its own, or over that of the agent. */
const ask = (asked: string, agent: Agent | false = false): Promise<number> =>
  new Promise((resolve, reject) => {
    get(gateway.url + asked, { agent, timeout: 20_000 }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
      .on('error', reject)
      .on('timeout', () => reject(new Error('no answer')))
  })

const times = <Result>(count: number, work: (at: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => work(at)))

/** Both answer, so both have told their process by a line of the log. */
const bothAnswer = () =>
  expect
    .poll(async () => {
      await times(4, () => ask('/healthz'))
      return answering('/healthz')
    })
    .toEqual([1, 2])

async function scraped(): Promise<Record<string, number>> {
  const response = await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const lines = (await response.text()).split('\n').filter((line) => /^\w/.test(line))
  return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]))
}

const closings = async (transactionNo: string) => {
  const { mchNo } = gateway.demo
  const entries = await readTimeline(database.pool, mchNo, transactionNo)
  expect(brokenAt(entries, mchNo, transactionNo)).toBeNull()
  return entries.filter(({ entry }) => (JSON.parse(entry) as { to: string }).to === 'CLOSED')
}

describe('two workers of one gateway', () => {
  it('answer at one port, and each line of the log names the one that wrote it', async () => {
    await bothAnswer()
    expect(pidOf(1)).not.toBe(pidOf(2))
  })

  it('close an order once, also when both are asked at the same moment, and count together', async () => {
    const { demo } = gateway
    const counted = 'acopay_calls_total{call="close",outcome="SUCCESS",by="merchant"}'
    const before = (await scraped())[counted] ?? 0
    const orders = await times(10, () => place(demo))
    for (const order of orders.slice(0, 3)) await openAttempt(demo, order)
    const heard = await Promise.all(orders.flatMap((order) => [1, 2, 3, 4].map(() => close(demo, order))))
    expect(heard.filter(({ data }) => data.code !== 'SUCCESS')).toEqual([])
    for (const order of orders) expect(await closings(order)).toHaveLength(1)
    expect(answering('/pay/v1/transactions/close')).toEqual([1, 2])
    const after = await scraped()
    expect((after[counted] ?? 0) - before).toBe(40)
    expect([after.acopay_processes, after.acopay_ready, after['acopay_stuck{what="closing"}']]).toEqual([2, 1, 0])
  })

  it('hold the limit of a merchant together', async () => {
    const { demo } = gateway
    const order = await place(demo)
    await database.pool.query('update merchant set rate_per_second = 5 where mch_no = $1', [demo.mchNo])
    // Each worker may remember the merchant's limit for a second: until both know it, half of the calls pass.
    const refused = async () => (await times(20, () => query(demo, order))).filter(({ status }) => status === 1017)
    await expect.poll(async () => (await refused()).length).toBeGreaterThan(15)
    const startedMs = performance.now()
    const answers = await times(60, () => query(demo, order))
    const seconds = (performance.now() - startedMs) / 1000
    await database.pool.query('update merchant set rate_per_second = null where mch_no = $1', [demo.mchNo])
    const passed = answers.filter(({ status }) => status === 200).length
    // The bucket of ten may have filled again by then, but not that of each of them.
    expect(passed).toBeLessThanOrEqual(14 + Math.ceil(5 * seconds))
    expect(answers.filter(({ status }) => status === 1017)).toHaveLength(60 - passed)
    // A worker uses what it read of a merchant for a second.
    await expect
      .poll(async () => (await times(20, () => query(demo, order))).filter(({ status }) => status !== 200).length)
      .toBe(0)
  })

  it('as many as are asked for do background work, the first ones', async () => {
    const { demo } = gateway
    const order = await place(demo)
    await openAttempt(demo, order)
    await close(demo, order)
    const jobs = () => logged().flatMap(({ msg, worker }) => (msg === 'job' && worker ? [worker] : []))
    // The closed attempt is watched, again and again. Whoever looks for work first would have it.
    for (let rounds = 0; rounds < 5; rounds += 1) {
      const before = jobs().length
      await database.pool.query('update job set due_at = now()')
      await expect.poll(() => jobs().length).toBeGreaterThan(before)
    }
    expect(new Set(jobs())).toEqual(new Set([1]))
  })

  it("have the sandbox's upstreams in common, with their faults", async () => {
    const { demo, url } = gateway
    await expect.poll(async () => (await query(demo, await place(demo))).status).toBe(200)
    const fault = async (faults: object[]) =>
      fetch(`${url}/sandbox/upstreams/wechat/faults`, { method: 'PUT', body: JSON.stringify(faults) })
    await fault([{ kind: 'error_before', verb: 'create' }])
    const payUrl = async (): Promise<string | null> => {
      const asked = `${url}/sandbox/${demo.mchNo}/orders/${await place(demo)}/attempts`
      const response = await fetch(asked, { method: 'POST', headers: { connection: 'close' } })
      return ((await response.json()) as { pay_url?: string }).pay_url ?? null
    }
    expect(await times(4, payUrl)).toEqual([null, null, null, null])
    await fault([])
    expect(await payUrl()).not.toBeNull()
  })
})

describe('a worker that is killed', () => {
  it('is started again, an alarm says so, and no call to the other one fails', async () => {
    const { demo } = gateway
    await bothAnswer()
    const [first, second] = [pidOf(1), pidOf(2)]
    const counted = 'acopay_calls_total{call="close",outcome="SUCCESS",by="merchant"}'
    const before = (await scraped())[counted] ?? 0
    process.kill(second ?? 0, 'SIGKILL')
    const alarms = () => logged().filter(({ msg }) => msg === 'a worker ended and is started again')
    await expect.poll(alarms).toHaveLength(1)
    expect(alarms()[0]).toMatchObject({ workerNumber: 2, workerPid: second, signal: 'SIGKILL', alarm: true })
    const failed: unknown[] = []
    const isBack = () => logged().some(({ worker, pid, path: asked }) => worker === 2 && pid !== second && asked)
    while (!isBack()) await times(4, () => ask('/healthz').catch((error: unknown) => failed.push(error)))
    expect(failed).toEqual([])
    expect(pidOf(1)).toBe(first)
    expect((await close(demo, await place(demo))).data.code).toBe('SUCCESS')
    // What the dead one had counted still counts.
    expect((await scraped())[counted]).toBe(before + 1)
  })
})

describe('a replacement of all workers', () => {
  it('refuses no connection and breaks off no call', async () => {
    const { demo } = gateway
    await bothAnswer()
    const before = [pidOf(1), pidOf(2)]
    let isDone = false
    const failed: unknown[] = []
    let calls = 0
    const note = (outcome: unknown): void => {
      calls += 1
      if (outcome !== 200 && outcome !== 'SUCCESS') failed.push(outcome)
    }
    const lane = async (work: () => Promise<unknown>): Promise<void> => {
      while (!isDone) note(await work().catch((error: unknown) => error))
    }
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    const kept = times(4, () => lane(() => ask('/readyz', agent)))
    const fresh = times(2, () => lane(() => ask('/readyz')))
    const merchants = times(2, () => lane(async () => (await close(demo, await place(demo))).data.code))
    process.kill(gateway.pid, 'SIGHUP')
    const isReplaced = () => logged().some(({ msg }) => msg === 'every worker was replaced')
    await expect.poll(isReplaced, { timeout: 120_000 }).toBe(true)
    isDone = true
    await Promise.all([kept, fresh, merchants])
    agent.destroy()
    expect(failed).toEqual([])
    expect(calls).toBeGreaterThan(20)
    await bothAnswer()
    expect([pidOf(1), pidOf(2)].filter((pid) => before.includes(pid))).toEqual([])
    expect(before.filter((pid) => isAlive(pid ?? 0))).toEqual([])
  })
})

describe('the end', () => {
  const workersOf = async (of: StartedProcess): Promise<number[]> => {
    const found = () => [...new Set(logged(of).flatMap(({ worker, pid }) => (worker === undefined ? [] : [pid])))]
    await expect
      .poll(async () => {
        await times(4, async () => (await fetch(`${of.url}/healthz`, { headers: { connection: 'close' } })).text())
        return found().filter(isAlive).length
      })
      .toBe(2)
    return found().filter(isAlive)
  }

  it('of the parent by a signal finishes what is in flight, ends all workers, and leaves with 0', async () => {
    const { demo } = gateway
    const workers = await workersOf(gateway)
    const orders = await times(10, () => place(demo))
    const closes = orders.map((order) => close(demo, order).catch(() => 'refused' as const))
    await Promise.race(closes)
    expect(await gateway.end('SIGTERM')).toBe(0)
    expect(workers.filter(isAlive)).toEqual([])
    for (const [at, heard] of (await Promise.all(closes)).entries()) {
      expect([orders[at], heard === 'refused' ? heard : heard.data.code]).toEqual([
        orders[at],
        (await closings(orders[at] ?? '')).length === 1 ? 'SUCCESS' : 'refused',
      ])
    }
  })

  it('of the parent by kill -9 leaves no worker', async () => {
    gateway = await startProcess({ ...env(), LOG_LEVEL: 'info' })
    const workers = await workersOf(gateway)
    expect(await gateway.end('SIGKILL')).toBeNull()
    await expect.poll(() => workers.filter(isAlive), { timeout: 20_000 }).toEqual([])
  })

  it('of a start whose port is taken is one line, as that of one process', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    const child = spawnGateway({ ...env(), PORT: String(port) })
    const code = await new Promise((resolve) => child.once('close', resolve))
    other.close()
    expect([code, child.output()]).toEqual([
      1,
      `端口 ${port} 已被占用，请设置 PORT (port ${port} is taken, set PORT)\n`,
    ])
  })
})
