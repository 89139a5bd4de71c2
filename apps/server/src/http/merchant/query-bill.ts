/** `GET bill` (spec/protocol.md 3.6): where the bill of a day can be fetched, and its hash. */
import { type Answer, BILL_ANSWERS, BILL_HASH_TYPE, isRefusal, parseQueryBill, refuse } from '@acopay/protocol'
import { queryBill } from '../../actions/bill/query-bill.ts'
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
    const bill = await queryBill(world, { mchNo, day })
    switch (bill.kind) {
      case 'out_of_range':
        return { answer: refuse('PARAM_ERROR', `bill_date 应在${bill.first}至${bill.last}之间`) }
      case 'not_yet':
        return { answer: NOT_YET }
      case 'none':
        return { answer: NO_BILL }
      case 'ready': {
        const file = { url: world.billUrl({ mchNo, day }), hash_code: bill.sha256, hash_type: BILL_HASH_TYPE }
        return { answer: { ...BILL_ANSWERS.SUCCESS, ...file } satisfies Answer<'get bill'> }
      }
    }
  },
}
