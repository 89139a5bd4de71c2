/** For a merchant's own tests: notifications like the gateway's, signed with a key pair of the test. */
import { privateKeyFrom, SENT_BACK_ANSWERS, signedNotification, signWith, timeText } from '@acopay/protocol'
import { newNonce } from './client.ts'
import type { PaymentEvent, PaymentReturnedEvent, RefundEvent, SentBackEvent } from './notifications.ts'
import { readKey, readNumber } from './options.ts'

type Changes<Event> = Partial<Omit<Event, 'kind' | 'state'>>

/** The fields to set; the others get values of a test order of 12.50 yuan. */
export type TestNotification =
  | ({ kind: 'payment' } & Changes<PaymentEvent>)
  | ({ kind: 'payment_returned' } & Changes<PaymentReturnedEvent>)
  | ({ kind: 'refund'; state?: RefundEvent['state'] } & Changes<RefundEvent>)
  | ({ kind: 'sent_back' } & Partial<Omit<SentBackEvent, 'kind'>>)

/**
 * The raw body of a validly signed notification. `const { privateKey, publicKey } = await newKeyPair()`: sign with the
 * private key, verify with `platformPublicKey: publicKey`.
 */
export async function signedTestNotification(
  event: TestNotification,
  by: { mchNo: string; privateKey: string },
): Promise<string> {
  const key = readKey('privateKey', by.privateKey, privateKeyFrom)
  const notifyTime = event.notifyTime ?? new Date()
  const news = newsOf(event, notifyTime)
  const mchNo = readNumber('mchNo', by.mchNo)
  return signedNotification(news, { mchNo, nonce: newNonce(), notifyTime: timeText(notifyTime), sign: signWith(key) })
}

type News = Record<string, string | null>

function newsOf(event: TestNotification, notifyTime: Date): News {
  if (event.kind === 'sent_back') return sentBackNews(event, notifyTime)
  return event.kind === 'refund' ? refundNews(event, notifyTime) : paymentNews(event, notifyTime)
}

function paymentNews(
  event: Extract<TestNotification, { kind: 'payment' | 'payment_returned' }>,
  notifyTime: Date,
): News {
  const isPaid = event.kind === 'payment'
  return {
    transaction_no: event.transactionNo ?? TRANSACTION_NO,
    mch_trade_no: event.mchTradeNo ?? MCH_TRADE_NO,
    app_no: event.appNo ?? 'APP1000000',
    extra: event.extra ?? null,
    code: isPaid ? 'SUCCESS' : 'REFUND',
    description: event.description ?? (isPaid ? '支付成功' : '转入退款'),
    amount_total: event.amountTotal ?? '12.50',
    amount_currency: event.amountCurrency ?? 'CNY',
    success_time: timeText(event.successTime ?? notifyTime),
    acoid: event.acoid ?? null,
  }
}

function refundNews(event: Extract<TestNotification, { kind: 'refund' }>, notifyTime: Date): News {
  const { state = 'SUCCESS', successTime = state === 'SUCCESS' ? notifyTime : null } = event
  return {
    transaction_no: event.transactionNo ?? TRANSACTION_NO,
    mch_trade_no: event.mchTradeNo ?? MCH_TRADE_NO,
    refund_no: event.refundNo ?? 'AR202601010800000000000000000000000001',
    mch_refund_no: event.mchRefundNo ?? 'test-refund-0000000000000001',
    code: state,
    description: event.description ?? (state === 'SUCCESS' ? '退款成功' : '退款失败'),
    refund_amount: event.refundAmount ?? '2.50',
    success_time: successTime === null ? null : timeText(successTime),
    refund_reason: event.refundReason ?? null,
  }
}

function sentBackNews(event: Extract<TestNotification, { kind: 'sent_back' }>, notifyTime: Date): News {
  const why = event.why ?? 'LATE'
  return {
    transaction_no: event.transactionNo ?? TRANSACTION_NO,
    mch_trade_no: event.mchTradeNo ?? MCH_TRADE_NO,
    app_no: event.appNo ?? 'APP1000000',
    extra: event.extra ?? null,
    reversal_no: event.reversalNo ?? 'AR202601010800000000000000000000000009',
    code: why,
    description: event.description ?? SENT_BACK_ANSWERS[why],
    payment_no: event.paymentNo ?? 'test-payment-1',
    amount: event.amount ?? '12.50',
    currency: event.currency ?? 'CNY',
    pay_channel: event.payChannel ?? 'wechat',
    paid_time: timeText(event.paidTime ?? notifyTime),
    success_time: timeText(event.successTime ?? notifyTime),
  }
}

const TRANSACTION_NO = 'AP202601010800000000000000000000000001'
const MCH_TRADE_NO = 'test-order-00000000000000001'
