/**
 * Two gateways on one database, a fifth of all calls to the upstreams going wrong, and three kill -9, while every order is
 * paid by two payers and closed at the same moment. `npm run storm` runs it with 1 000 orders.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { moveAhead } from '@acopay/store/sandbox'
import type { Fault } from '@acopay/upstreams'
import { expect, it } from 'vitest'
import { startedOnce, testDatabase } from './support/database.ts'
import type { Taken } from './support/invariants.ts'
import { close, openAttempt, pay, place } from './support/merchant.ts'
import { type StartedProcess, startProcess } from './support/process.ts'
import { receiver, SAYS_HEARD } from './support/receiver.ts'
import { expectAllIsWell } from './support/rest.ts'
import { SIZE } from './support/size.ts'

const ORDERS = SIZE.stormOrders
const AT_ONCE = 16
const HOUR = 3_600_000
const CHANNELS = ['wechat', 'alipay'] as const

/** Together a fifth. */
const FAULTS: Fault[] = [
  { kind: 'lost_answer', probability: 0.05 },
  { kind: 'error_before', probability: 0.05 },
  { kind: 'error_after', probability: 0.04 },
  { kind: 'unreadable', probability: 0.03 },
  { kind: 'bad_signature', probability: 0.03 },
  { kind: 'twin', probability: 0.2 },
]

it(`${ORDERS} orders in the storm: at rest the invariants hold, and kept plus sent back is what was taken`, async () => {
  const home = mkdtempSync(path.join(tmpdir(), 'acopay-storm-'))
  const database = await testDatabase('started')
  const { pool } = database
  startedOnce(home)
  const env = {
    ACOPAY_HOME: home,
    DATABASE_URL: database.connectionString,
    LOG_LEVEL: 'silent',
    ACOPAY_JOB_PAUSE_MS: '50',
    ACOPAY_LEASE_MS: '6000',
    ACOPAY_CLOSE_BUDGET_MS: '3000',
    ACOPAY_CHANNEL_CALL_MS: '1000',
  }
  const start = async (): Promise<StartedProcess> => {
    const gateway = await startProcess(env)
    await setFaults(gateway, FAULTS)
    return gateway
  }
  let gateways = [await start(), await start()]
  // Every tenth notification is answered only when it comes again.
  const merchant = await receiver((gateways[0] as StartedProcess).demo.platformPublicKey)
  const hearsLater = new Set<string>()
  merchant.answer((told, response) => {
    const order = told.transaction_no ?? ''
    if (order.endsWith('7') && !hearsLater.has(order)) {
      hearsLater.add(order)
      response.writeHead(500).end()
    } else SAYS_HEARD(told, response)
  })
  /** The address of one of the two gateways; each call takes the other one. */
  let turn = 0
  const anyDemo = () => {
    turn += 1
    return (gateways[turn % 2] as StartedProcess).demo
  }
  /** Repeats the call, at any gateway that is up, until it is answered. */
  const untilAnswered = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    for (;;) {
      try {
        return await ask()
      } catch {
        await pause(100)
      }
    }
  }

  const toldClosed = new Set<string>()
  let done = 0
  const oneOrder = async (): Promise<void> => {
    // Under the merchant's own number: said again after a kill, it is the same order.
    const mch_trade_no = randomUUID()
    const order = await untilAnswered(() => place(anyDemo(), { mch_trade_no, notify_url: merchant.url }))
    const attempts = await Promise.all(
      CHANNELS.map((channel) => untilAnswered(() => openAttempt(anyDemo(), order, channel))),
    )
    const payers = attempts
      .filter((attempt) => attempt !== null)
      .map((attempt) => pay(anyDemo(), order, attempt).catch(() => false))
    const closing = async (triesLeft: number): Promise<void> => {
      const { data } = await untilAnswered(() => close(anyDemo(), order))
      if (data.code === 'SUCCESS') toldClosed.add(order)
      // A create that was never answered may land for a minute. A merchant in a hurry leaves the rest to the gateway.
      else if (data.description === '关单处理中，请稍后查询' && triesLeft > 0) {
        await pause(200)
        await closing(triesLeft - 1)
      }
    }
    await Promise.all([closing(20), ...payers])
    done += 1
  }
  const kills = [0.25, 0.5, 0.75].map((share) => Math.floor(ORDERS * share))
  /** One after the other: a gateway that is still starting again is not killed, nor started twice. */
  let killing = Promise.resolve()
  const killAndStart = async (index: number): Promise<void> => {
    await (gateways[index] as StartedProcess).end('SIGKILL')
    gateways[index] = await start()
  }
  let started = 0
  const lane = async (): Promise<void> => {
    while (started < ORDERS) {
      started += 1
      await oneOrder()
      if (kills[0] === undefined || done < kills[0]) continue
      const index = (kills.shift() as number) % 2
      killing = killing.then(() => killAndStart(index))
      await killing
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  expect(kills).toEqual([])

  // The clear morning after: an hour later by their clock no pause between tries is left to wait for.
  await Promise.all(gateways.map((gateway) => gateway.end('SIGTERM')))
  await moveAhead(pool, HOUR)
  gateways = await Promise.all(CHANNELS.map(() => startProcess(env)))
  const taken = async (): Promise<Taken[]> => {
    const lists = await Promise.all(CHANNELS.map((channel) => takenBy(gateways[0] as StartedProcess, channel)))
    return lists.flat()
  }
  const { mchNo } = (gateways[0] as StartedProcess).demo
  await expectAllIsWell(pool, { mchNo, taken, toldClosed, told: merchant.told })

  await Promise.all(gateways.map((gateway) => gateway.end('SIGTERM')))
  await merchant.stop()
  await database.drop()
  rmSync(home, { recursive: true })
}, 3_600_000)

async function setFaults({ url }: StartedProcess, faults: Fault[]): Promise<void> {
  for (const channel of CHANNELS) {
    await fetch(`${url}/sandbox/upstreams/${channel}/faults`, { method: 'PUT', body: JSON.stringify(faults) })
  }
}

async function takenBy({ url }: StartedProcess, channel: string): Promise<Taken[]> {
  const response = await fetch(`${url}/sandbox/upstreams/${channel}/taken`)
  const list = (await response.json()) as { attempt_no: string; taken_fen: number; returned_fen: number }[]
  return list.map(({ attempt_no, taken_fen, returned_fen }) => ({
    no: attempt_no,
    takenFen: taken_fen,
    returnedFen: returned_fen,
  }))
}
