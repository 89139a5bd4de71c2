/**
 * Closing an order whose Alipay code is not scanned yet, with a payer who scans and pays at every moment of the close
 * (spec/order-lifecycle.md, Closing 2, I10): the payment is kept, or the order is closed and the money goes back. What
 * was once called kept is never sent back by the gateway.
 */
import type { Channel } from '@acopay/channels'
import { afterEach, describe, expect, it } from 'vitest'
import { expectInvariants } from './support/invariants.ts'
import { call, close, openAttempt, place, query } from './support/merchant.ts'
import { type Receiver, receiver } from './support/receiver.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
let merchant: Receiver
afterEach(async () => {
  await merchant.stop()
  await test.stop()
})

/** What the close asks Alipay when the payer does nothing: query, close, query. */
const MOMENTS = ['before the 1st call', 'before the 2nd call', 'before the 3rd call', 'after the last call'] as const

/** Runs `payer` before (or, with `isAfter`, after) the nth call of the close. */
async function closeWith(nth: number, isAfter: boolean, payer: (attemptNo: string) => Promise<unknown>) {
  let calls = 0
  let isClosing = false
  let attemptNo = ''
  const counted =
    <Ask, Answer>(verb: string, real: (ask: Ask, signal: AbortSignal) => Promise<Answer>) =>
    async (ask: Ask, signal: AbortSignal): Promise<Answer> => {
      if (!isClosing) return real(ask, signal)
      calls += 1
      verbs.push(verb)
      const isIt = calls === nth
      if (isIt && !isAfter) await payer(attemptNo)
      const answer = await real(ask, signal)
      if (isIt && isAfter) await payer(attemptNo)
      return answer
    }
  const verbs: string[] = []
  test = await testWorld({
    upstream: (real: Channel) => ({ query: counted('query', real.query), close: counted('close', real.close) }),
  })
  merchant = await receiver(test.demo.platformPublicKey)
  const order = await place(test.demo, { notify_url: merchant.url })
  attemptNo = (await openAttempt(test.demo, order, 'alipay')) ?? ''
  isClosing = true
  const answer = await close(test.demo, order)
  isClosing = false
  await test.runJobs()
  return { order, attemptNo, answer, verbs }
}

const control = () => test.upstreams.of('alipay').control
const scanAndPay = async (no: string) => (await control().scan(no)) && (await control().pay(no))

describe.each([...MOMENTS.entries()])('a payer who scans and pays', (index, moment) => {
  it(`${moment}: paid and kept, or closed and sent back; never both`, async () => {
    const isLast = index === MOMENTS.length - 1
    const { order, attemptNo, answer } = await closeWith(isLast ? 3 : index + 1, isLast, scanAndPay)
    const [taken] = await control().taken()
    // The notification came before the close was settled, so the order is paid at each of these moments.
    expect(answer).toMatchObject({ data: { code: 'FAIL', description: '订单已支付' } })
    expect(taken).toEqual({ no: attemptNo, takenFen: 1250, returnedFen: 0 })
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await close(test.demo, order)).toMatchObject({ data: { description: '订单已支付' } })
    expect(merchant.told().map(({ code }) => code)).toEqual(['SUCCESS'])
    await expectInvariants(test.database.pool, test.demo.mchNo, await control().taken())
  })

  it(`${moment}, and whose notification never comes: what was told stays true`, async () => {
    const isLast = index === MOMENTS.length - 1
    const { order, answer } = await closeWith(isLast ? 3 : index + 1, isLast, async (no) => {
      test.upstreams.faults('alipay').set([{ kind: 'silence' }])
      await scanAndPay(no)
    })
    for (let minute = 0; minute < 10; minute += 1) {
      test.advance(60_000)
      await test.runJobs()
    }
    const [taken] = await control().taken()
    const { code } = (await query(test.demo, order)).data
    if (isLast) {
      expect(answer).toMatchObject({ data: { code: 'SUCCESS', description: '关单成功' } })
      expect([code, taken?.takenFen, taken?.returnedFen]).toEqual(['CLOSED', 1250, 1250])
      expect(merchant.told()).toEqual([])
    } else {
      expect(answer).toMatchObject({ data: { code: 'FAIL', description: '订单已支付' } })
      expect([code, taken?.takenFen, taken?.returnedFen]).toEqual(['SUCCESS', 1250, 0])
      expect(merchant.told().map((told) => told.code)).toEqual(['SUCCESS'])
    }
    await expectInvariants(test.database.pool, test.demo.mchNo, await control().taken())
  })
})

describe('a payer who only scans', () => {
  it('after the close found no trade: it is closed again, and can no longer be paid', async () => {
    const { order, attemptNo, answer, verbs } = await closeWith(2, true, (no) => control().scan(no))
    expect(answer).toMatchObject({ data: { code: 'SUCCESS', description: '关单成功' } })
    expect(verbs).toEqual(['query', 'close', 'query', 'close', 'query'])
    expect(await control().pay(attemptNo)).toBeNull()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
  })

  it('never: the order is closed after one round, and alipay.trade.cancel is not called', async () => {
    const { answer, verbs, order } = await closeWith(9, true, async () => {})
    expect(answer).toMatchObject({ data: { code: 'SUCCESS', description: '关单成功' } })
    expect(verbs).toEqual(['query', 'close', 'query'])
    const evidence = await call(test.demo, { method: 'GET', path: 'close/evidence', params: { transaction_no: order } })
    expect(JSON.parse(evidence.data.upstream_answers ?? '')).toMatchObject([
      { verb: 'query', says: 'absent' },
      { verb: 'close', says: 'absent' },
      { verb: 'query', says: 'absent' },
    ])
  })
})
