import { describe, expect, it } from 'vitest'
import { rsaKeys } from '../../../test/support/keys.ts'
import {
  HEARD,
  isHeard,
  NOT_HEARD,
  NOTIFICATION_FIELDS,
  NOTIFY_TIMEOUT_MS,
  signedNotification,
} from './notifications.ts'
import { signWith, verifyText } from './sign.ts'

const { publicKey, privateKey } = rsaKeys('ours')
const BY = { mchNo: 'MCH1000000', nonce: 'n1', notifyTime: '2026-01-31T08:00:00+08:00', sign: signWith(privateKey) }

/** spec/protocol.md 3.7, with the five fields that every notification has. */
const SPECIFIED = {
  payment:
    'mch_no nonce sign sign_type notify_time transaction_no mch_trade_no app_no extra code description amount_total amount_currency success_time acoid',
  refund:
    'mch_no nonce sign sign_type notify_time transaction_no mch_trade_no refund_no mch_refund_no code description refund_amount success_time refund_reason',
  // [ours], only for apps that asked for it.
  sent_back:
    'mch_no nonce sign sign_type notify_time transaction_no mch_trade_no app_no extra reversal_no code description payment_no amount currency pay_channel paid_time success_time',
}

describe.each(['payment', 'refund', 'sent_back'] as const)('a notification of a %s', (kind) => {
  const news = Object.fromEntries(NOTIFICATION_FIELDS[kind].map((name) => [name, `the ${name}`]))

  it('has the fields of the specification and no other, for SDK 1.0.0 fails on one', async () => {
    const body = JSON.parse(await signedNotification(news, BY))
    expect(Object.keys(body).sort()).toEqual(SPECIFIED[kind].split(' ').sort())
    expect(body).toMatchObject({
      ...news,
      mch_no: 'MCH1000000',
      nonce: 'n1',
      sign_type: 'SHA256withRSA',
      notify_time: '2026-01-31T08:00:00+08:00',
    })
  })
})

it('a notification is signed over all that is not null, sorted, without its signature', async () => {
  const { sign, ...body } = JSON.parse(await signedNotification({ code: 'SUCCESS', extra: null, acoid: 'p1' }, BY))
  expect(body.extra).toBeNull()
  const text =
    '{"acoid":"p1","code":"SUCCESS","mch_no":"MCH1000000","nonce":"n1","notify_time":"2026-01-31T08:00:00+08:00","sign_type":"SHA256withRSA"}'
  expect(verifyText(text, sign, publicKey)).toBe(true)
})

describe("a merchant's answer", () => {
  it('acknowledges only as HTTP 200 and an object whose status is SUCCESS', () => {
    const heard: [number, string][] = [
      [200, '{"status":"SUCCESS","message":"成功"}'],
      [200, ' \n{"status":"SUCCESS","message":"ok"}\n'],
      [200, '\ufeff{"status":"SUCCESS"}'],
    ]
    const notHeard: [number, string][] = [
      [201, '{"status":"SUCCESS"}'],
      [204, ''],
      [302, '{"status":"SUCCESS"}'],
      [500, '{"status":"SUCCESS"}'],
      [200, '{"status":"FAIL","message":"失败"}'],
      [200, '{"status":"success"}'],
      [200, '{"status":"SUCCESS '],
      [200, '{"message":"SUCCESS"}'],
      [200, '[{"status":"SUCCESS"}]'],
      [200, '["SUCCESS"]'],
      [200, '\ufeff\ufeff{"status":"SUCCESS"}'],
      [201, '\ufeff{"status":"SUCCESS"}'],
      [200, '{"status":"\ufeffSUCCESS"}'],
      [200, '"SUCCESS"'],
      [200, '"status"'],
      [200, 'SUCCESS'],
      [200, 'null'],
      [200, '7'],
      [200, '{}'],
      [200, ''],
    ]
    expect(heard.filter((answer) => isHeard(...answer) !== true)).toEqual([])
    expect(notHeard.filter((answer) => isHeard(...answer) !== false)).toEqual([])
  })

  it('is one of two texts, and is waited for for 5 s', () => {
    expect(JSON.stringify(HEARD)).toBe('{"status":"SUCCESS","message":"成功"}')
    expect(JSON.stringify(NOT_HEARD)).toBe('{"status":"FAIL","message":"失败"}')
    expect(NOTIFY_TIMEOUT_MS).toBe(5000)
  })
})
