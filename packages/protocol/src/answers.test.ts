/** The words on the wire, a second time, by hand (spec/protocol.md 3.1 to 3.7; those marked [ours] too). */
import { describe, expect, it } from 'vitest'
import {
  BASE_PATH,
  BILL_ANSWERS,
  BILL_HASH_TYPE,
  CLOSE_ANSWERS,
  CLOSE_REASON_TEXTS,
  DONE_ANSWER,
  NOTIFICATION_ANSWERS,
  PLACED_ANSWER,
  REFUND_ANSWERS,
  RETURNED_OUTSIDE_TEXT,
  STATE_ANSWERS,
  timeText,
} from './answers.ts'

describe('the answer', () => {
  it('of a close', () => {
    expect(CLOSE_ANSWERS).toEqual({
      closed: { code: 'SUCCESS', description: '关单成功' },
      expired: { code: 'FAIL', description: '订单已过期' },
      paid: { code: 'FAIL', description: '订单已支付' },
      closing: { code: 'FAIL', description: '关单处理中，请稍后查询' },
    })
    expect(CLOSE_REASON_TEXTS).toEqual({ MERCHANT: '商户关单', EXPIRED: '超时关单', OPERATOR: '运营关单' })
  })

  it('of a query: the five states', () => {
    expect(STATE_ANSWERS).toEqual({
      NOTPAY: '未支付',
      CLOSING: '关单中',
      CLOSED: '已关闭',
      SUCCESS: '支付成功',
      REFUND: '转入退款',
    })
  })

  it('of a refund', () => {
    expect(REFUND_ANSWERS).toEqual({ PROCESSING: '退款处理中', SUCCESS: '退款成功', FAIL: '退款失败' })
  })

  it('of a bill', () => {
    expect(BILL_ANSWERS).toEqual({
      SUCCESS: { code: 'SUCCESS', description: '成功' },
      NO_BILL: { code: 'NO_BILL', description: '账单不存在' },
      BILL_NOT_EXIST: { code: 'BILL_NOT_EXIST', description: '对账单未生成' },
    })
    expect(BILL_HASH_TYPE).toBe('SHA256')
  })

  it('of every other call', () => {
    expect(PLACED_ANSWER).toEqual({ code: 'SUCCESS', description: '下单成功' })
    expect(DONE_ANSWER).toEqual({ code: 'SUCCESS', description: '成功' })
    expect(NOTIFICATION_ANSWERS).toEqual({ PENDING: '待送达', DELIVERED: '已送达', DEAD: '已停止' })
    expect(RETURNED_OUTSIDE_TEXT).toBe('款项已在支付渠道退回，非经本网关')
  })
})

it('every call is below /pay/v1/transactions/', () => expect(BASE_PATH).toBe('/pay/v1/transactions/'))

it('a time is told in +08:00 without a fraction, at the ends of days, months and years too', () => {
  const times: [string, string][] = [
    ['2021-05-12T02:00:00.999Z', '2021-05-12T10:00:00+08:00'],
    ['2025-12-31T15:59:59.999Z', '2025-12-31T23:59:59+08:00'],
    ['2025-12-31T16:00:00Z', '2026-01-01T00:00:00+08:00'],
    ['2028-02-28T16:00:00Z', '2028-02-29T00:00:00+08:00'],
  ]
  expect(times.map(([utc]) => timeText(new Date(utc)))).toEqual(times.map(([, told]) => told))
})
