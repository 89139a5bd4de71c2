/** Every quirk of the upstreams, end to end: whatever they do, the invariants of spec/order-lifecycle.md hold. */
import type { FaultKind } from '@acopay/upstreams'
import { afterEach, describe, expect, it } from 'vitest'
import { expectInvariants } from './support/invariants.ts'
import { close, openAttempt, pay, place, query } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
afterEach(() => test.stop())

const HOUR = 3_600_000
const CHANNELS = ['wechat', 'alipay'] as const
type Name = (typeof CHANNELS)[number]

/** No faults any more; time passes until nothing is left to do but to watch. */
async function rest(): Promise<void> {
  for (const name of CHANNELS) test.upstreams.faults(name).set([])
  for (let hour = 0; hour < 30; hour += 1) {
    test.advance(HOUR)
    await test.upstreams.deliverDue()
    await test.runJobs()
  }
}

const invariantsHold = async (): Promise<void> => {
  const taken = await Promise.all(CHANNELS.map((name) => test.upstreams.of(name).control.taken()))
  await expectInvariants(test.database.pool, test.demo.mchNo, taken.flat())
}

const start = async (name: Name): Promise<{ order: string; attempt: string }> => {
  const order = await place(test.demo, { time_expire: '2026-03-02T12:00:00+08:00' })
  return { order, attempt: (await openAttempt(test.demo, order, name)) ?? '' }
}

describe.each(CHANNELS)('%s', (name) => {
  it.each<[FaultKind, number]>([
    ['lost_answer', 2],
    ['slow_answer', 2],
    ['error_before', 2],
    ['error_after', 2],
    ['unreadable', 2],
    ['bad_signature', 2],
    ['closes_late', 1],
    ['closes_never', 1],
  ])('%s while it is closed: the order ends closed, nothing is kept, nothing is lost', async (kind, times) => {
    test = await testWorld()
    const { order, attempt } = await start(name)
    await pay(test.demo, order, attempt, 'scan')
    test.upstreams.faults(name).set([{ kind, times, ms: 3000 }])
    const answer = await test.whileTimePasses(close(test.demo, order))
    expect(['关单成功', '关单处理中，请稍后查询']).toContain(answer.data.description)
    await rest()
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await pay(test.demo, order, attempt)).toBe(false)
    await invariantsHold()
  })

  it('a create that lands after its time-out, and after the close, is shut all the same', async () => {
    test = await testWorld()
    const order = await place(test.demo, { time_expire: '2026-03-02T12:00:00+08:00' })
    test.upstreams.faults(name).set([{ kind: 'lands_late', ms: 20_000 }])
    await test.whileTimePasses(openAttempt(test.demo, order, name))
    expect(await test.whileTimePasses(close(test.demo, order))).toMatchObject({
      data: { code: 'FAIL', description: '关单处理中，请稍后查询' },
    })
    await rest()
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    await invariantsHold()
  })

  it('a payment just before the close: the order is paid, and the close says so', async () => {
    test = await testWorld()
    const { order, attempt } = await start(name)
    test.upstreams.faults(name).set([{ kind: 'silence' }])
    await pay(test.demo, order, attempt)
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'FAIL', description: '订单已支付' } })
    await rest()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS', acoid: 'sandbox-payer' } })
    await invariantsHold()
  })

  it('twin notifications at once are one payment', async () => {
    test = await testWorld()
    const { order, attempt } = await start(name)
    test.upstreams.faults(name).set([{ kind: 'twin' }])
    expect(await pay(test.demo, order, attempt)).toBe(true)
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    await invariantsHold()
  })

  it('a payment that was never told of is found by the bill, if by nothing else', async () => {
    test = await testWorld()
    const { order, attempt } = await start(name)
    test.upstreams.faults(name).set([{ kind: 'silence' }])
    await pay(test.demo, order, attempt)
    await rest()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    await invariantsHold()
  })

  it('takes money for a closed trade: it goes back by itself, through lost answers', async () => {
    test = await testWorld()
    const { order, attempt } = await start(name)
    await pay(test.demo, order, attempt, 'scan')
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    test.upstreams.faults(name).set([{ kind: 'lost_answer', verb: 'refund', times: 2 }])
    expect(await pay(test.demo, order, attempt, 'pay-anyway')).toBe(true)
    await rest()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
    await invariantsHold()
  })
})

it('a probe of WeChat Pay, whose signature is none, is answered 500 and changes nothing; the right one is heard', async () => {
  test = await testWorld()
  const { order, attempt } = await start('wechat')
  test.upstreams.faults('wechat').set([{ kind: 'probe', verb: 'notify' }])
  const notified = () =>
    test.logged().flatMap(({ path, status }) => (String(path).startsWith('/notify/') ? [status] : []))
  await pay(test.demo, order, attempt)
  expect(await query(test.demo, order)).toMatchObject({ data: { code: 'NOTPAY' } })
  expect((await test.database.pool.query('select * from payment')).rows).toEqual([])
  expect(notified()).toEqual([500])
  test.advance(15_000)
  await test.upstreams.deliverDue()
  expect(notified()).toEqual([500, 200])
  expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
  await invariantsHold()
})

describe('two codes on two telephones', () => {
  it('both paid: one is kept, the other goes back', async () => {
    test = await testWorld()
    const { order, attempt } = await start('wechat')
    const other = (await openAttempt(test.demo, order, 'alipay')) ?? ''
    const paid = await Promise.all([pay(test.demo, order, attempt), pay(test.demo, order, other)])
    expect(paid).toEqual([true, true])
    await rest()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    await invariantsHold()
    const { rows } = await test.database.pool.query('select fate from payment order by fate')
    expect(rows).toEqual([{ fate: 'keep' }, { fate: 'reverse' }])
  })
})

describe('a code that was not scanned', () => {
  it('is called unknown by Alipay and can be paid after the close: the money goes back', async () => {
    test = await testWorld()
    const { order, attempt } = await start('alipay')
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    expect(await pay(test.demo, order, attempt)).toBe(true)
    await rest()
    expect(await query(test.demo, order)).toMatchObject({ data: { code: 'CLOSED' } })
    await invariantsHold()
  })
})

it('a merchant hears within the budget although an upstream never answers', async () => {
  test = await testWorld()
  const { order } = await start('wechat')
  test.upstreams.faults('wechat').set([{ kind: 'slow_answer', ms: HOUR }])
  const before = test.world.now().getTime()
  expect(await test.whileTimePasses(close(test.demo, order))).toMatchObject({
    data: { code: 'FAIL', description: '关单处理中，请稍后查询' },
  })
  expect(test.world.now().getTime() - before).toBeLessThanOrEqual(7000)
})
