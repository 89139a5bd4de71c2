/** `GET bill` (spec/protocol.md 3.6): where the bill of a day can be fetched, and its hash. */
import { billRange, isBillComplete } from '@acopay/core'
import { type Answer, BILL_ANSWERS, BILL_HASH_TYPE, isRefusal, parseQueryBill, refuse } from '@acopay/protocol'
import { findBill, hasBillRows, planBill } from '@acopay/store'
import type { Endpoint } from './exchange.ts'

const NO_FILE = { url: null, hash_code: null, hash_type: null }
const NO_BILL: Answer<'get bill'> = { ...BILL_ANSWERS.NO_BILL, ...NO_FILE }
const NOT_YET: Answer<'get bill'> = { ...BILL_ANSWERS.BILL_NOT_EXIST, ...NO_FILE }

export const billEndpoint: Endpoint = {
  method: 'GET',
  path: 'bill',
  bodySigned: false,
  async handle(world, { mchNo }, params) {
    const asked = parseQueryBill(params)
    if (isRefusal(asked)) return { answer: asked }
    const { day } = asked
    const now = world.now()
    const { first, last } = billRange(now.getTime())
    if (day < first || day > last) return { answer: refuse('PARAM_ERROR', `bill_date 应在${first}至${last}之间`) }
    const bill = await findBill(world.pool, { mchNo, day })
    if (bill?.fileNo != null) {
      const url = world.billUrl({ mchNo, day })
      const file = { url, hash_code: bill.sha256, hash_type: BILL_HASH_TYPE }
      return { answer: { ...BILL_ANSWERS.SUCCESS, ...file } satisfies Answer<'get bill'> }
    }
    if (!isBillComplete(day, now.getTime())) return { answer: NOT_YET }
    if (bill !== null || !(await hasBillRows(world.pool, { mchNo, day }))) {
      return { answer: NO_BILL }
    }
    await planBill(world.pool, { mchNo, day }, now)
    return { answer: NOT_YET }
  },
}
