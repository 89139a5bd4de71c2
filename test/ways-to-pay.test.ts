/** What a payer gets who chooses a way to pay for the second time: a second tab, the back button, a double click. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { chooseMethod } from '../apps/server/src/actions/payment/choose-method.ts'
import { place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
beforeAll(async () => {
  test = await testWorld()
})
afterAll(() => test.stop())

async function choose(transactionNo: string): Promise<string> {
  const asked = {
    channel: 'wechat',
    method: 'native',
    payer: { returnUrl: null, payerIp: null, openId: null },
  } as const
  const way = await chooseMethod(test.world, { mchNo: test.demo.mchNo, transactionNo }, asked)
  return way.kind === 'started' ? way.attempt.attemptNo : way.kind
}

it('while the first attempt is being opened the payer waits for it, and gets another once its call cannot arrive any more', async () => {
  const order = await place(test.demo)
  const first = await choose(order)
  const untilMs = test.world.now().getTime() + 1000
  await test.database.pool.query(
    `update attempt set state = 'OPENING', pay_url = null, create_lands_until = $2 where attempt_no = $1`,
    [first, new Date(untilMs)],
  )
  test.advance(999)
  expect(await choose(order)).toBe(first)
  test.advance(1)
  expect(await choose(order)).not.toBe(first)
})
