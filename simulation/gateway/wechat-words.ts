/** WeChat Pay's answers and notifications (pay.weixin.qq.com, API v3), from what the simulated upstream means by them. */
import { createCipheriv } from 'node:crypto'
import type { RawWebhook } from '@acopay/channels'
import { wechatBillAt } from './bill.ts'
import type { Fault, Heard } from './network.ts'
import { asksForRefund, type MadeAnswer, makesRefund, refundNamed, type ShownRefund } from './refunds.ts'
import type { Process } from './scheduler.ts'
import { callClose, callOpen, callQuery, type Queried, tradeOf } from './trade-calls.ts'
import type { Payment } from './trades.ts'
import type { News, Parts } from './upstream-parts.ts'
import { type Asked, chinaTime, FORGED, type Reply, SERIAL, SETTINGS, signed } from './wire-identity.ts'

const { appId, mchId, apiV3Key } = SETTINGS.wechat

type Words = [status: number, body: object | null]

export async function wechatAnswered(parts: Parts, gateway: Process, { url, body }: Asked): Promise<Reply> {
  const last = decodeURIComponent(url.pathname.split('/').at(-1) ?? '')
  if (url.pathname === '/v3/bill/tradebill') {
    return replied(parts, await wechatBillAt(parts, gateway, url.searchParams.get('bill_date') ?? ''), null)
  }
  if (url.pathname === '/v3/billdownload/file') return downloaded(parts, url.searchParams.get('token') ?? '')
  if (url.pathname === '/v3/pay/transactions/native') return opens(parts, gateway, body)
  if (url.pathname.startsWith('/v3/pay/transactions/id/')) {
    return queries(parts, gateway, tradeOf(parts, last)?.no ?? '', last)
  }
  if (url.pathname.endsWith('/close')) return closes(parts, gateway, url.pathname.split('/').at(-2) ?? '')
  if (url.pathname.startsWith('/v3/pay/transactions/out-trade-no/')) return queries(parts, gateway, last)
  const { says, fault } = body === '' ? await queriesRefund(parts, gateway, last) : await refunds(parts, gateway, body)
  const refundNo = body === '' ? last : (JSON.parse(body) as WechatRefund).out_refund_no
  return replied(parts, refundWords(parts, { says, fault }, refundNo), fault)
}

/** A file is not signed. */
function downloaded({ files }: Parts, hash: string): Reply {
  return { status: 200, headers: {}, text: files.get(hash) ?? '' }
}

type WechatOrder = { out_trade_no: string; time_expire: string; amount: { total: number } }

async function opens(parts: Parts, gateway: Process, body: string): Promise<Reply> {
  const { out_trade_no: no, time_expire, amount } = JSON.parse(body) as WechatOrder
  const opening = { no, fen: BigInt(amount.total), expireMs: Date.parse(time_expire) }
  const { says, fault } = await callOpen(parts, gateway, 'wechat', opening)
  if (says.kind === 'unknown') return replied(parts, trouble(parts), fault)
  const isOdd = fault === 'odd answer' || fault === 'answer forged'
  const code = fault === 'odd answer' ? 'A_NEW_WORD' : 'PARAM_ERROR'
  return replied(parts, isOdd ? [400, { code }] : [200, { code_url: `weixin://wxpay/bizpayurl?pr=${no}` }], fault)
}

async function closes(parts: Parts, gateway: Process, no: string): Promise<Reply> {
  const { says, fault } = await callClose(parts, gateway, 'wechat', no)
  const paid = parts.wording.pick(['ORDERPAID', 'ORDER_PAID'])
  const words = (): Words => {
    if (says.kind === 'unknown') return trouble(parts)
    if (fault === 'odd answer') return [400, { code: 'A_NEW_WORD' }]
    if (fault === 'answer forged') return [204, null]
    if (says.kind === 'absent') return [404, { code: 'ORDER_NOT_EXIST' }]
    return says.kind === 'paid' ? [400, { code: paid }] : [204, null]
  }
  return replied(parts, words(), fault)
}

async function queries(parts: Parts, gateway: Process, no: string, paymentNo?: string): Promise<Reply> {
  const { says, fault } = await callQuery(parts, gateway, no, paymentNo)
  return replied(parts, queryWords(parts, { says, fault }, no), fault)
}

function queryWords({ wording }: Parts, { says, fault }: Heard<Queried>, no: string): Words {
  if (fault === 'other number') return transaction(`${no}0`, { trade_state: 'CLOSED' })
  if (says.kind === 'unknown') return trouble({ wording })
  const isPaid = says.kind === 'paid' || says.kind === 'returned'
  if (fault === 'answer forged') {
    return isPaid ? transaction(no, { trade_state: 'CLOSED' }) : transaction(no, forgedPayment(no))
  }
  if (fault === 'odd answer') {
    const odd = [{ amount: { total: 0, currency: 'CNY' } }, { success_time: '2099-01-01T00:00:00+08:00' }]
    const state = { trade_state: 'A_NEW_STATE' }
    return transaction(no, isPaid ? { ...paid(says.payment), ...wording.pick([...odd, state]) } : state)
  }
  switch (says.kind) {
    case 'absent':
      return [404, { code: 'ORDER_NOT_EXIST' }]
    case 'open':
      return transaction(no, { trade_state: wording.pick(['NOTPAY', 'NOTPAY', 'USERPAYING', 'PAYERROR', 'ACCEPT']) })
    case 'closed':
      return transaction(no, { trade_state: wording.pick(['CLOSED', 'CLOSED', 'REVOKED']) })
    default:
      return transaction(no, paid(says.payment))
  }
}

const transaction = (no: string, more: object): Words => [
  200,
  { appid: appId, mchid: mchId, out_trade_no: no, ...more },
]

const paid = ({ paymentNo, amountFen, currency, paidAt, payer, refunds }: Payment): object => ({
  trade_state: refunds.length > 0 ? 'REFUND' : 'SUCCESS',
  transaction_id: paymentNo,
  amount: { total: Number(amountFen), currency },
  success_time: `${chinaTime(paidAt).replace(' ', 'T')}+08:00`,
  payer: { openid: payer },
})

const forgedPayment = (no: string): object => ({
  trade_state: 'SUCCESS',
  transaction_id: `FORGED${no}`,
  amount: { total: 1250, currency: 'CNY' },
})

// "退款申请" and "查询单笔退款".

type WechatRefund = { transaction_id: string; out_refund_no: string; reason: string; amount: { refund: number } }

function refunds(parts: Parts, gateway: Process, body: string): Promise<Heard<MadeAnswer>> {
  const { transaction_id: paymentNo, out_refund_no: refundNo, reason, amount } = JSON.parse(body) as WechatRefund
  const ask = { paymentNo, refundNo, reason, amountFen: BigInt(amount.refund) }
  return makesRefund(parts, gateway, tradeOf(parts, paymentNo), ask)
}

/** A query does not show it yet. */
async function queriesRefund(parts: Parts, gateway: Process, refundNo: string): Promise<Heard<MadeAnswer>> {
  const { says, fault } = await asksForRefund(parts, gateway, refundNamed(parts, refundNo), refundNo)
  const isAbsent = says.kind === 'doubtful' && isHidden(says.refund)
  return { says: isAbsent ? { kind: 'absent' } : says, fault }
}

/** One of two refunds that are in doubt. */
const isHidden = ({ refundNo }: ShownRefund): boolean => Number(refundNo.at(-1)) % 2 === 0

function refundWords({ wording }: Parts, { says, fault }: Heard<MadeAnswer>, refundNo: string): Words {
  if (fault === 'other number') {
    return [200, wechatRefund('SUCCESS', { ...NOTHING, refundNo: `${refundNo}0`, fen: 1n })]
  }
  // What the caller fears most: "refused" of a refund that is made, and "done" of one that is not.
  if (fault === 'answer forged') {
    return says.kind === 'done' || says.kind === 'processing'
      ? wording.pick<Words>([
          [403, { code: 'NOT_ENOUGH' }],
          [200, wechatRefund('CLOSED', says.refund)],
        ])
      : [200, wechatRefund('SUCCESS', { ...NOTHING, refundNo })]
  }
  if (fault === 'odd answer')
    return 'refund' in says ? [200, wechatRefund('A_NEW_STATE', says.refund)] : [400, { code: 'A_NEW_WORD' }]
  switch (says.kind) {
    case 'done':
      return [200, wechatRefund('SUCCESS', says.refund)]
    case 'processing':
      return [200, wechatRefund('PROCESSING', says.refund)]
    // The payer's card takes no money, and the merchant's staff complete the refund in WeChat Pay's own pages. Or WeChat Pay is
    // still at it, and its manual says to call again with the same number.
    case 'doubtful':
      return isHidden(says.refund) ? [500, { code: 'SYSTEM_ERROR' }] : [200, wechatRefund('ABNORMAL', says.refund)]
    case 'closed':
      return [200, wechatRefund('CLOSED', says.refund)]
    case 'not enough':
      return [403, { code: 'NOT_ENOUGH' }]
    case 'absent':
      return [404, { code: 'RESOURCE_NOT_EXISTS' }]
    case 'unknown':
      return trouble({ wording })
  }
}

const NOTHING: ShownRefund = { attemptNo: 'none', paymentNo: 'none', refundNo: 'none', fen: 1250n, refundedFen: 0n }

const wechatRefund = (status: string, { refundNo, paymentNo, attemptNo, fen }: ShownRefund): object => ({
  out_refund_no: refundNo,
  transaction_id: paymentNo,
  out_trade_no: attemptNo,
  status,
  amount: { refund: Number(fen), currency: 'CNY' },
})

const trouble = ({ wording }: Pick<Parts, 'wording'>): Words =>
  wording.pick<Words>([
    [500, { code: 'SYSTEM_ERROR' }],
    [429, { code: 'FREQUENCY_LIMITED' }],
    [502, null],
  ])

function replied({ schedule, wording }: Parts, [status, body]: Words, fault: Fault | null): Reply {
  const text = body === null ? '' : JSON.stringify(body)
  const isForged = fault === 'answer forged'
  if (isForged && wording.isOneIn(0.5)) return { status, text, headers: {} }
  return { status, text, headers: signature(schedule.nowMs(), text, isForged) }
}

function signature(nowMs: number, text: string, isForged: boolean): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000))
  return {
    'wechatpay-serial': SERIAL,
    'wechatpay-timestamp': timestamp,
    'wechatpay-nonce': 'nonce',
    'wechatpay-signature': isForged ? FORGED : signed(`${timestamp}\nnonce\n${text}\n`),
  }
}

// "支付成功回调通知" and "退款结果通知".

/** Null when there is nothing to tell. */
export function wechatWebhook(parts: Parts, news: News): RawWebhook | null {
  if ('refundNo' in news) {
    return notification(parts, 'REFUND.SUCCESS', { mchid: mchId, out_refund_no: news.refundNo }, false)
  }
  const payment = tradeOf(parts, news.paymentNo)?.payments.find(({ paymentNo }) => paymentNo === news.paymentNo)
  if (payment === undefined) return null
  const [, data] = transaction(news.attemptNo, paid(payment))
  return notification(parts, 'TRANSACTION.SUCCESS', data ?? {}, false)
}

export function forgedWechatWebhook(parts: Parts, no: string): RawWebhook {
  const [, data] = transaction(no, forgedPayment(no))
  return notification(parts, 'TRANSACTION.SUCCESS', data ?? {}, true)
}

function notification({ schedule }: Parts, event: string, data: object, isForged: boolean): RawWebhook {
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from('nonce of 12 ')).setAAD(
    Buffer.from('x'),
  )
  const sealed = Buffer.concat([cipher.update(JSON.stringify(data)), cipher.final(), cipher.getAuthTag()])
  const text = JSON.stringify({
    event_type: event,
    resource: {
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: sealed.toString('base64'),
      associated_data: 'x',
      nonce: 'nonce of 12 ',
    },
  })
  return { headers: signature(schedule.nowMs(), text, isForged), body: Buffer.from(text) }
}
