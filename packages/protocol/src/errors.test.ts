import { describe, expect, it } from 'vitest'
import { ERRORS, FIELD_ERRORS_MAX, isRefusal, refuse } from './errors.ts'

/**
 * The specification's table, a second time, by hand. `again` marks errors after which a client may send the same
 * request.
 */
const EXPECTED = `
1001 PARAM_ERROR
1002 SIGN_ERROR
1003 MCH_NOT_EXIST
1004 MCH_DISABLED
1005 APP_NOT_EXIST
1006 APP_DISABLED
1007 ORDER_NOT_EXIST
1008 ORDER_NOT_PAID
1009 ORDER_STATE_ERROR
1010 MCH_TRADE_NO_REPEAT
1011 REFUND_NOT_EXIST
1012 MCH_REFUND_NO_REPEAT
1013 REFUND_AMOUNT_EXCEED
1014 REFUND_TIMES_EXCEED
1015 REFUND_TIME_EXCEED
1016 NONCE_REPEAT again
1017 FREQUENCY_LIMIT again
1018 IP_FORBIDDEN
1500 SYSTEM_ERROR again
`

describe('the list of errors', () => {
  it('is the one of the specification: numbers, names, and which may be sent again', () => {
    const listed = Object.entries(ERRORS).map(
      ([name, { status, retry }]) => `${status} ${name}${retry ? ' again' : ''}`,
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

  it('with words of its own carries them, cut to what the contract allows', () => {
    expect(refuse('PARAM_ERROR', 'app_no 必填').fieldErrors).toBe('app_no 必填')
    expect(refuse('PARAM_ERROR', '长'.repeat(80)).fieldErrors).toBe('长'.repeat(50))
  })
})
