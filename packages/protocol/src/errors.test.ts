import { describe, expect, it } from 'vitest'
import { ERRORS, FIELD_ERRORS_MAX, isRefusal, refuse, refuseField } from './errors.ts'

/**
 * The specification's table, a second time, by hand, with the words that a merchant reads. `again` marks errors after which a
 * client may send the same request.
 */
const EXPECTED = `
1001|PARAM_ERROR|stop|参数缺失或格式不正确|A parameter is missing or malformed; fieldErrors names it.
1002|SIGN_ERROR|stop|验签失败或缺少签名请求头|The signature does not verify, or a signature header is missing.
1003|MCH_NOT_EXIST|stop|商户不存在|No merchant has this number.
1004|MCH_DISABLED|stop|商户已停用|The merchant is disabled; ask the operator of the gateway.
1005|APP_NOT_EXIST|stop|应用不存在|This merchant has no such app.
1006|APP_DISABLED|stop|应用已停用|The app is disabled; ask the operator of the gateway.
1007|ORDER_NOT_EXIST|stop|此订单不存在!|This merchant has no order with this number.
1008|ORDER_NOT_PAID|stop|订单未支付，不能退款|Only a paid order can be refunded.
1009|ORDER_STATE_ERROR|stop|订单状态不允许此操作|The order's state does not allow it; query the order.
1010|MCH_TRADE_NO_REPEAT|stop|商户订单号已用于其他参数的订单|The merchant's order number was used with other parameters; fieldErrors names the first that differs.
1011|REFUND_NOT_EXIST|stop|此退款不存在!|This merchant has no refund with this number.
1012|MCH_REFUND_NO_REPEAT|stop|商户退款单号已用于其他参数的退款|The merchant's refund number was used with other parameters; fieldErrors names the first that differs.
1013|REFUND_AMOUNT_EXCEED|stop|退款总额超过支付金额|Refunds would exceed the amount paid.
1014|REFUND_TIMES_EXCEED|stop|退款次数超过20次|An order can be refunded at most 20 times.
1015|REFUND_TIME_EXCEED|stop|支付已超过180天，不能退款|A refund is possible within 180 days of the payment.
1016|NONCE_REPEAT|again|随机串已使用，请更换后重试|This nonce was used before; sign again with a new one.
1017|FREQUENCY_LIMIT|again|请求过于频繁，请稍后重试|Too many requests; wait a moment and try again.
1018|IP_FORBIDDEN|stop|来源地址不在商户白名单内|The caller's address is not on the merchant's list.
1500|SYSTEM_ERROR|again|系统繁忙，请用原单号重试|The gateway failed; try again with the same numbers.
`

describe('the list of errors', () => {
  it('is the one of the specification: numbers, names, words, and which may be sent again', () => {
    const listed = Object.entries(ERRORS).map(([name, { status, retry, zh, en }]) =>
      [status, name, retry ? 'again' : 'stop', zh, en].join('|'),
    )
    expect(listed).toEqual(EXPECTED.trim().split('\n'))
  })

  it('gives no number and no text twice, and no number that means success', () => {
    for (const part of ['status', 'zh', 'en'] as const) {
      const all = Object.values(ERRORS).map((error) => error[part])
      expect(new Set(all).size).toBe(all.length)
    }
    expect(Object.values(ERRORS).map(({ status }) => Number(status))).not.toContain(200)
  })

  it('says of an unknown order what the platform documents', () => {
    expect(refuse('ORDER_NOT_EXIST')).toEqual({ refused: 'ORDER_NOT_EXIST', fieldErrors: '此订单不存在!' })
  })

  it.each(Object.entries(ERRORS))(
    '%s has a Chinese text that fits fieldErrors and an English sentence',
    (name, error) => {
      expect(name.length).toBeLessThanOrEqual(100)
      expect(error.zh).toMatch(/[一-鿿]/)
      expect(error.zh.length).toBeLessThanOrEqual(FIELD_ERRORS_MAX)
      expect(error.en).toMatch(/^[A-Z].*\.$/)
    },
  )
})

describe('a refusal', () => {
  it('is told from anything else by its shape', () => {
    expect(isRefusal(refuse('PARAM_ERROR'))).toBe(true)
    expect(isRefusal({ transactionNo: 'AP1' })).toBe(false)
  })

  it('about one field names the field in its text, and beside it for the server', () => {
    expect(refuseField('app_no', '必填')).toEqual({
      refused: 'PARAM_ERROR',
      fieldErrors: 'app_no 必填',
      field: 'app_no',
    })
  })

  it('with words of its own carries them, cut to what the contract allows', () => {
    expect(refuse('PARAM_ERROR', 'app_no 必填').fieldErrors).toBe('app_no 必填')
    expect(refuse('PARAM_ERROR', '长'.repeat(80)).fieldErrors).toBe('长'.repeat(50))
  })
})
