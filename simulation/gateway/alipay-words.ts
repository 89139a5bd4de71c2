/** Alipay's answers and notifications (opendocs.alipay.com), from what the simulated upstream means by them. */
import type { RawWebhook } from '@acopay/channels'
import type { Fault, Heard } from './network.ts'
import { asksForRefund, type MadeAnswer, makesRefund, refundNamed, type ShownRefund } from './refunds.ts'
import type { Process } from './scheduler.ts'
import { type Closed, callClose, callOpen, callQuery, type Opening, type Queried, tradeOf } from './trade-calls.ts'
import { backFen, isAllBack, type Payment, type Trade } from './trades.ts'
import type { News, Parts } from './upstream-parts.ts'
import { type Asked, chinaTime, FORGED, type Reply, SETTINGS, signed, yuanOf } from './wire-identity.ts'

const { appId, sellerId } = SETTINGS.alipay

type Content = {
  out_trade_no?: string
  trade_no?: string
  out_request_no?: string
  total_amount?: string
  time_expire?: string
  refund_amount?: string
  refund_reason?: string
}

type Spoken = { member: object; fault: Fault | null }

export async function alipayAnswered(parts: Parts, gateway: Process, { body }: Asked): Promise<Reply> {
  const params = new URLSearchParams(body)
  const method = params.get('method') ?? ''
  const content = JSON.parse(params.get('biz_content') ?? '{}') as Content
  const verb = VERBS[method]
  if (verb === undefined) throw new Error(`the simulated Alipay knows no ${method}`)
  const { member, fault } = await verb(parts, gateway, content)
  const text = JSON.stringify(member)
  const name = `${method.replaceAll('.', '_')}_response`
  if (fault !== 'answer forged') return said(`{"${name}":${text},"sign":"${signed(text)}"}`)
  return said(parts.wording.isOneIn(0.5) ? `{"${name}":${text}}` : `{"${name}":${text},"sign":"${FORGED}"}`)
}

const said = (text: string): Reply => ({ status: 200, headers: {}, text })

type Verb = (parts: Parts, gateway: Process, content: Content) => Promise<Spoken>

const VERBS: Record<string, Verb | undefined> = {
  'alipay.trade.precreate': opens,
  'alipay.trade.query': queries,
  'alipay.trade.close': closes,
  'alipay.trade.refund': refunds,
  'alipay.trade.fastpay.refund.query': queriesRefund,
}

const OK = { code: '10000', msg: 'Success' }
const failed = (word: string) => ({ code: '40004', msg: 'Business Failed', sub_code: word })
const ODD = failed('ACQ.A_NEW_WORD')

const trouble = ({ wording }: Parts): object =>
  wording.pick([
    { code: '20000', msg: 'Service Currently Unavailable', sub_code: 'isp.unknow-error' },
    { code: '40005', msg: 'App Call Limited', sub_code: 'isv.app-call-limited' },
    failed('ACQ.SYSTEM_ERROR'),
  ])

/** The moment that Alipay writes, in milliseconds. */
const msOf = (text: string): number => Date.parse(`${text.replace(' ', 'T')}+08:00`)
const fenOf = (yuan: string): bigint => BigInt(yuan.replace('.', ''))

async function opens(parts: Parts, gateway: Process, content: Content): Promise<Spoken> {
  const { out_trade_no: no = '', total_amount: yuan = '', time_expire: until = '' } = content
  const opening: Opening = { no, fen: fenOf(yuan), expireMs: msOf(until) }
  const { says, fault } = await callOpen(parts, gateway, 'alipay', opening)
  if (says.kind === 'unknown') return { member: trouble(parts), fault }
  if (fault === 'odd answer') return { member: ODD, fault }
  if (fault === 'answer forged') return { member: failed('ACQ.ACCESS_FORBIDDEN'), fault }
  return { member: { ...OK, out_trade_no: no, qr_code: `https://qr.alipay.example/${no}` }, fault }
}

async function closes(parts: Parts, gateway: Process, { out_trade_no: no = '' }: Content): Promise<Spoken> {
  const { says, fault } = await callClose(parts, gateway, 'alipay', no)
  return { member: closeWords(parts, { says, fault }, no), fault }
}

function closeWords(parts: Parts, { says, fault }: Heard<Closed>, no: string): object {
  if (says.kind === 'unknown') return trouble(parts)
  if (fault === 'odd answer') return ODD
  if (fault === 'answer forged' || says.kind === 'accepted') return { ...OK, out_trade_no: no, trade_no: `UP${no}` }
  if (says.kind === 'absent') return failed('ACQ.TRADE_NOT_EXIST')
  return failed(parts.wording.pick(['ACQ.TRADE_STATUS_ERROR', 'ACQ.REASON_TRADE_STATUS_INVALID']))
}

async function queries(parts: Parts, gateway: Process, content: Content): Promise<Spoken> {
  const { trade_no: paymentNo } = content
  const no = content.out_trade_no ?? tradeOf(parts, paymentNo ?? '')?.no ?? ''
  const { says, fault } = await callQuery(parts, gateway, no, paymentNo)
  return { member: queryWords(parts, { says, fault }, no), fault }
}

function queryWords(parts: Parts, { says, fault }: Heard<Queried>, no: string): object {
  const { wording, schedule } = parts
  const about = { ...OK, out_trade_no: no, trade_no: `UP${no}` }
  if (fault === 'other number') return { ...about, out_trade_no: `${no}0`, trade_status: 'TRADE_CLOSED' }
  if (says.kind === 'unknown') return trouble(parts)
  const isPaid = says.kind === 'paid' || says.kind === 'returned'
  if (fault === 'answer forged') {
    return { ...about, ...(isPaid ? { trade_status: 'TRADE_CLOSED' } : forgedPayment(no)) }
  }
  if (fault === 'odd answer') {
    const odd = [{ total_amount: '0.00' }, { send_pay_date: '2099-01-01 00:00:00' }]
    const state = { trade_status: 'A_NEW_STATE' }
    // Only one thing is odd at a time: a paid trade's state is right where its amount is not.
    const told = isPaid
      ? { ...paid(says.payment), trade_status: 'TRADE_SUCCESS', ...wording.pick([...odd, state]) }
      : state
    return { ...about, ...told }
  }
  switch (says.kind) {
    case 'absent':
      return failed('ACQ.TRADE_NOT_EXIST')
    case 'open':
      return { ...about, trade_status: 'WAIT_BUYER_PAY', total_amount: yuanOf(says.trade.fen) }
    case 'closed':
      return { ...about, trade_status: 'TRADE_CLOSED', total_amount: yuanOf(says.trade.fen), ...unpaidDate(parts) }
    case 'paid':
      return { ...about, ...paid(says.payment), trade_status: wording.pick(['TRADE_SUCCESS', 'TRADE_FINISHED']) }
    case 'returned':
      return {
        ...about,
        ...paid(says.payment),
        trade_status: 'TRADE_CLOSED',
        ...fundsOf(says.payment, schedule.nowMs()),
      }
  }
}

/** A trade that was closed unpaid was seen with a date of payment. */
function unpaidDate({ wording, schedule, observer }: Parts): object {
  if (!wording.isOneIn(0.2)) return {}
  observer.quirk('an unpaid trade with a date of payment')
  return { send_pay_date: chinaTime(new Date(schedule.nowMs())) }
}

const paid = ({ paymentNo, amountFen, paidAt, payer }: Payment): object => ({
  trade_no: paymentNo,
  total_amount: yuanOf(amountFen),
  send_pay_date: chinaTime(paidAt),
  buyer_user_id: payer,
})

/** Where the money came from; not of a payment that Alipay sent back under the trade's own number. */
const fundsOf = ({ amountFen, refunds }: Payment, nowMs: number): object =>
  refunds.some(({ by, doneMs }) => by === 'outside' && doneMs <= nowMs)
    ? {}
    : { fund_bill_list: [{ amount: yuanOf(amountFen), fund_channel: 'ALIPAYACCOUNT' }] }

const forgedPayment = (no: string): object => ({
  trade_no: `FORGED${no}`,
  trade_status: 'TRADE_SUCCESS',
  total_amount: '12.50',
})

// "统一收单交易退款" and "统一收单交易退款查询".

async function refunds(parts: Parts, gateway: Process, content: Content): Promise<Spoken> {
  const { trade_no: paymentNo = '', out_request_no: refundNo = '', refund_reason: reason = '' } = content
  const ask = { paymentNo, refundNo, reason, amountFen: fenOf(content.refund_amount ?? '') }
  const { says, fault } = await makesRefund(parts, gateway, tradeOf(parts, paymentNo), ask)
  return { member: refundWords(parts, { says, fault }, paymentNo), fault }
}

/** Words that name no reason for which the refund surely was not made (the manual's table, and what was seen besides). */
const DOUBTFUL_WORDS = [
  'ACQ.SYSTEM_ERROR',
  'AQC.SYSTEM_ERROR',
  'SYSTEM_ERROR',
  'ACQ.REFUND_CHARGE_ERROR',
  'isv.app-call-limited',
]

function refundWords(parts: Parts, { says, fault }: Heard<MadeAnswer>, paymentNo: string): object {
  const done = { ...OK, fund_change: 'Y', refund_fee: '12.50' }
  if (fault === 'other number') return { ...done, trade_no: `${paymentNo}0`, out_trade_no: 'other' }
  if (fault === 'odd answer') return ODD
  if (fault === 'answer forged') {
    return 'refund' in says ? failed('ACQ.SELLER_BALANCE_NOT_ENOUGH') : { ...done, trade_no: paymentNo }
  }
  switch (says.kind) {
    case 'done':
      return refund({ fund_change: says.isRepeated ? 'N' : 'Y' }, says.refund)
    case 'processing':
      return refund({ fund_change: 'N' }, says.refund)
    case 'doubtful':
      return failed(parts.dice.pick(DOUBTFUL_WORDS))
    case 'closed':
    case 'not enough':
      return failed('ACQ.SELLER_BALANCE_NOT_ENOUGH')
    case 'absent':
      return failed('ACQ.TRADE_NOT_EXIST')
    case 'unknown':
      return trouble(parts)
  }
}

const refund = (more: object, { attemptNo, paymentNo, refundedFen }: ShownRefund): object => ({
  ...OK,
  trade_no: paymentNo,
  out_trade_no: attemptNo,
  refund_fee: yuanOf(refundedFen),
  ...more,
})

async function queriesRefund(parts: Parts, gateway: Process, content: Content): Promise<Spoken> {
  const { trade_no: paymentNo = '', out_request_no: refundNo = '' } = content
  const trade = tradeOf(parts, paymentNo)
  const { says, fault } = await asksForRefund(parts, gateway, trade, refundNo)
  const words = refundNo === trade?.no ? ownRefund(trade, paymentNo, parts.schedule.nowMs()) : queriedWords(says)
  if (says.kind === 'unknown' && fault !== 'other number') return { member: trouble(parts), fault }
  const done = { ...OK, trade_no: paymentNo, refund_status: 'REFUND_SUCCESS', refund_amount: '12.50' }
  if (fault === 'other number') return { member: { ...done, out_request_no: `${refundNo}0` }, fault }
  if (fault === 'answer forged') return { member: { ...done, out_request_no: refundNo }, fault }
  return { member: fault === 'odd answer' ? ODD : words, fault }
}

/** A refund without a number of its own has the trade's. */
function ownRefund(trade: Trade, paymentNo: string, nowMs: number): object {
  const payment = trade.payments.find((one) => one.paymentNo === paymentNo)
  if (payment === undefined || !isAllBack(payment, nowMs)) return OK
  const { amountFen } = payment
  return {
    ...OK,
    trade_no: paymentNo,
    out_request_no: trade.no,
    refund_status: 'REFUND_SUCCESS',
    refund_amount: yuanOf(amountFen),
  }
}

/** A refund that is not done has no `refund_status`: the manual defines one word only. */
function queriedWords(says: Heard<MadeAnswer>['says']): object {
  if (says.kind !== 'done') return OK
  const { attemptNo, paymentNo, refundNo, fen } = says.refund
  return {
    ...OK,
    trade_no: paymentNo,
    out_trade_no: attemptNo,
    out_request_no: refundNo,
    refund_status: 'REFUND_SUCCESS',
    refund_amount: yuanOf(fen),
  }
}

// "异步通知". Alipay tells of a refund by telling of the trade again.

/** Null when there is nothing to tell. */
export function alipayWebhook(parts: Parts, news: News): RawWebhook | null {
  const nowMs = parts.schedule.nowMs()
  const trade = 'refundNo' in news ? refundNamed(parts, news.refundNo) : tradeOf(parts, news.paymentNo)
  const payment = trade?.payments.find((one) =>
    'refundNo' in news ? one.refunds.some(({ no }) => no === news.refundNo) : one.paymentNo === news.paymentNo,
  )
  if (trade === undefined || payment === undefined) return null
  const status = 'refundNo' in news && isAllBack(payment, nowMs) ? 'TRADE_CLOSED' : 'TRADE_SUCCESS'
  const back: Record<string, string> = 'refundNo' in news ? { refund_fee: yuanOf(backFen(payment)) } : {}
  return form(
    {
      ...back,
      out_trade_no: trade.no,
      trade_no: payment.paymentNo,
      trade_status: status,
      total_amount: yuanOf(payment.amountFen),
      gmt_payment: chinaTime(payment.paidAt),
      buyer_id: payment.payer ?? '',
    },
    false,
  )
}

export const forgedAlipayWebhook = (no: string): RawWebhook =>
  form({ out_trade_no: no, ...(forgedPayment(no) as Record<string, string>) }, true)

function form(more: Record<string, string>, isForged: boolean): RawWebhook {
  const params: Record<string, string> = { app_id: appId, seller_id: sellerId, charset: 'utf-8', ...more }
  const text = Object.entries(params)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
  const sign = isForged ? FORGED : signed(text)
  return { headers: {}, body: Buffer.from(new URLSearchParams({ ...params, sign, sign_type: 'RSA2' }).toString()) }
}
