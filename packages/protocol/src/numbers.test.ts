import { expect, it } from 'vitest'
import type { JsonObject } from './canonical.ts'
import { numberRefusal } from './numbers.ts'

/** Every member that a request of the contract may have (spec/protocol.md 3), and the signature's (3.2), by hand. */
const NAMES = `
  mch_no nonce sign_type sign
  app_no mch_trade_no description amount_total amount_currency time_expire extra notify_url
  transaction_no refund_no mch_refund_no refund_amount refund_reason bill_date
  state before seq from until`

it('a number in place of any text of the contract is refused by the name of its field', () => {
  for (const field of NAMES.trim().split(/\s+/)) {
    expect(numberRefusal({ first: 'x', [field]: 7, other: '1' })).toEqual({
      refused: 'PARAM_ERROR',
      fieldErrors: `${field} 应为字符串而不是数字`,
      field,
    })
  }
})

it('a number is found however deep it lies, whatever it is', () => {
  const objects: JsonObject[] = [
    { extra: [0] },
    { extra: [null, true, 'text', {}, { b: -1.5 }] },
    { extra: { a: { b: { c: ['', [[], [2]]] } } } },
    { extra: [7, 'text'] },
    { extra: ['text', 7] },
  ]
  for (const params of objects) {
    expect(numberRefusal(params)).toEqual({
      refused: 'PARAM_ERROR',
      fieldErrors: 'extra 应为字符串而不是对象',
      field: 'extra',
    })
  }
  expect(numberRefusal({ amount_total: 0 })?.field).toBe('amount_total')
})

it('of several fields with a number the first is named', () => {
  expect(numberRefusal({ version: 1, nonce: 'n', seq: 3, amount_total: 100 })?.field).toBe('seq')
})

it("nothing is said of a request without a number, nor of a number that is not the contract's", () => {
  const fine: JsonObject[] = [
    {},
    { amount_total: '100', extra: '7', nonce: '1' },
    { amount_total: null, extra: true, description: '' },
    { extra: [null, false, '7', { '8': '9' }, []] },
    { version: 1, aco_pay_sdk: 2, other: [3] },
  ]
  expect(fine.map(numberRefusal)).toEqual(fine.map(() => null))
})
