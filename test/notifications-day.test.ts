/** A merchant's server dies for a day, ours is killed five times meanwhile; when it is back it hears everything, in order. */
import './support/only-long.ts'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { FROM_SOURCE } from './support/from-source.ts'
import { call, newTradeNo, openAttempt, pay, place } from './support/merchant.ts'
import { receiver, SAYS_HEARD, type Told } from './support/receiver.ts'
import { testWorld } from './support/world.ts'

const ORDERS = 40
const MINUTE = 60_000

const CHILD = path.resolve(import.meta.dirname, 'support/telling-process.ts')

async function startTelling(databaseUrl: string, masterKey: Buffer): Promise<ChildProcess> {
  const args = [databaseUrl, masterKey.toString('base64'), '/nowhere']
  const child = fork(CHILD, args, { execArgv: FROM_SOURCE })
  await once(child, 'message')
  return child
}

/** Tells what is due at a moment. */
async function tell(child: ChildProcess, nowMs: number): Promise<void> {
  child.send({ nowMs })
  for (;;) {
    const [says] = (await once(child, 'message')) as [string]
    if (says === 'done') return
  }
}

/** Kills it in its first call, once that has `arrived`, however many are under way; false when nothing was due. */
async function killWhilePosting(child: ChildProcess, nowMs: number, arrived?: Promise<void>): Promise<boolean> {
  child.send({ nowMs })
  const [says] = (await once(child, 'message')) as [string]
  if (says === 'done') return false
  await arrived
  child.kill('SIGKILL')
  await once(child, 'exit')
  return true
}

/** A free port: no server listens there until the test starts one. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

it('every notification arrives, in order per order, none twice after a SUCCESS reply', async () => {
  const test = await testWorld()
  const port = await freePort()
  const notify_url = `http://127.0.0.1:${port}/told`
  let child = await startTelling(test.database.connectionString, test.masterKey)
  onTestFinished(() => void child.kill())
  let kills = 0
  const restart = async (): Promise<void> => {
    kills += 1
    child = await startTelling(test.database.connectionString, test.masterKey)
  }
  const nowMs = () => test.world.now().getTime()

  // The dead day: every half hour an order is paid, and refunded twice a little later; three kills.
  const orders: string[] = []
  const refund = (transaction_no: string) =>
    call(test.demo, {
      method: 'POST',
      path: 'refund',
      params: {
        transaction_no,
        refund_amount: '0.10',
        refund_reason: '商品已退货',
        notify_url,
        mch_refund_no: newTradeNo(),
      },
    })
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    if (minute % 30 === 0 && orders.length < ORDERS) {
      const order = await place(test.demo, { notify_url })
      await pay(test.demo, order, (await openAttempt(test.demo, order)) ?? '')
      orders.push(order)
    }
    if (minute % 30 === 7 || minute % 30 === 11) await refund(orders.at(-1) ?? '')
    if (minute < 480 * kills + 60) await tell(child, nowMs())
    else if (await killWhilePosting(child, nowMs())) await restart()
    test.advance(MINUTE)
  }

  // The merchant is back. SUCCESS acknowledges a notification; twice our process is killed before it has the answer.
  const merchant = await receiver(test.demo.platformPublicKey, port)
  const heard: Told[] = []
  for (let count = 0; count < 2; count += 1) {
    const arrived = new Promise<void>((resolve) => merchant.answer(() => resolve()))
    while (!(await killWhilePosting(child, nowMs(), arrived))) test.advance(MINUTE)
    await restart()
    merchant.answer((told, response) => {
      heard.push(told)
      SAYS_HEARD(told, response)
    })
    // What the killed process had taken comes due again when its lease is over.
    test.advance(MINUTE)
    if (count === 0) await refund(orders.at(-1) ?? '')
  }
  for (let minute = 0; minute < 7 * 60; minute += 10) {
    await tell(child, nowMs())
    test.advance(10 * MINUTE)
  }

  expect(kills).toBe(5)
  const { rows } = await test.database.pool.query(
    `select transaction_no as no, seq, state, news::json ->> 'refund_no' as refund from notification order by seq`,
  )
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['DELIVERED']))
  expect(rows.length).toBeGreaterThan(2 * ORDERS)
  for (const order of orders) {
    const written = rows.filter(({ no }) => no === order).map(({ refund: no }) => no)
    const told = heard
      .filter(({ transaction_no }) => transaction_no === order)
      .map(({ refund_no }) => refund_no ?? null)
    expect(told).toEqual(written)
  }
  expect(merchant.told().length).toBeGreaterThan(heard.length)
  await merchant.stop()
  await test.stop()
}, 600_000)
