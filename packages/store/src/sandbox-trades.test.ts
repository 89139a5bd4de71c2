import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts'
import { after, NOW } from '../../../test/support/orders.ts'
import { sandboxBooks } from './sandbox-trades.ts'

let database: TestDatabase
let nowMs = 0
let count = 0
let attemptNo = ''
const books = () => sandboxBooks(database.pool, () => after(nowMs))
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  nowMs = 0
  count += 1
  attemptNo = `AT${count}`
  await books().create({ account: 'MCH1', attemptNo, amountFen: 1250n, expireAt: after(1000) })
})

const pay = (paymentNo = 'SB1') => books().pay('MCH1', attemptNo, { paymentNo, paidAt: NOW, payer: 'p' })

describe('the books of the sandbox', () => {
  it('keep a trade as it was first opened', async () => {
    await books().create({ account: 'MCH1', attemptNo, amountFen: 1n, expireAt: after(9) })
    expect(await books().find('MCH1', attemptNo)).toEqual({
      account: 'MCH1',
      attemptNo,
      amountFen: 1250n,
      state: 'open',
      expireAt: after(1000),
      payment: null,
    })
    expect(await books().find('MCH2', attemptNo)).toBeNull()
  })

  it('take a payment once: the second payer finds it paid by the first', async () => {
    expect(await pay('SB1')).toMatchObject({ state: 'paid', payment: { paymentNo: 'SB1', amountFen: 1250n } })
    expect(await pay('SB2')).toMatchObject({ payment: { paymentNo: 'SB1' } })
  })

  it('take no payment from the expiry on', async () => {
    nowMs = 1000
    expect(await pay()).toMatchObject({ state: 'open', payment: null })
    nowMs = 999
    expect(await pay()).toMatchObject({ state: 'paid' })
  })

  it('a payer and a close at the same moment: one of them wins, and both hear which', async () => {
    for (let round = 0; round < 20; round += 1) {
      attemptNo = `race${round}`
      await books().create({ account: 'MCH1', attemptNo, amountFen: 1n, expireAt: after(1000) })
      const [paid, closed] = await Promise.all([pay(), books().close('MCH1', attemptNo)])
      expect(paid?.state).toBe(closed?.state)
      expect(paid?.payment === null).toBe(closed?.state === 'closed')
    }
  })

  it('send the money of a paid trade back under one number only, however often it is said', async () => {
    const refund = (refundNo: string) => books().refund('MCH1', attemptNo, { refundNo })
    expect(await refund('AR1')).toBe(false)
    await pay()
    const said = await Promise.all(['AR1', 'AR1', 'AR2', 'AR2'].map(refund))
    expect(said.filter(Boolean)).toHaveLength(2)
    expect(said[0]).toBe(said[1])
  })
})
