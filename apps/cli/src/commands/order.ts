/** `acopay order place|query|close|evidence` */
import {
  AcoPay,
  type AcoPayError,
  ApiError,
  ConnectionError,
  newTradeNo,
  type OrderParams,
  type OrderRef,
  SignatureError,
} from '@acopay/sdk'
import {
  type Command,
  EXIT,
  type Flags,
  type Io,
  ownName,
  requiredFlag,
  table,
  textFlag,
  UnfinishedError,
  UsageError,
} from '../command.ts'
import { readSettings, SETTINGS_OPTIONS } from '../settings.ts'

const client = (flags: Flags, io: Io): AcoPay =>
  new AcoPay(readSettings(flags, io, ['baseUrl', 'mchNo', 'appNo', 'mchPrivateKey', 'platformPublicKey']))

const REF_OPTIONS = { 'transaction-no': { type: 'string' }, 'mch-trade-no': { type: 'string' } } as const

function refOf(flags: Flags): OrderRef {
  const transactionNo = textFlag(flags, 'transaction-no')
  if (transactionNo !== undefined) return { transactionNo }
  const mchTradeNo = textFlag(flags, 'mch-trade-no')
  if (mchTradeNo !== undefined) return { mchTradeNo }
  throw new UsageError('需要 --transaction-no 或 --mch-trade-no (give --transaction-no or --mch-trade-no)')
}

export const placeCommand: Command = {
  usage: '--amount 12.50 --description TEXT [--mch-trade-no NO] [--expire TIME] [--extra TEXT] [--notify-url URL]',
  zh: '下单',
  en: 'place an order',
  options: {
    ...SETTINGS_OPTIONS,
    amount: { type: 'string' },
    description: { type: 'string' },
    'mch-trade-no': { type: 'string' },
    expire: { type: 'string' },
    extra: { type: 'string' },
    'notify-url': { type: 'string' },
  },
  async run(flags, io) {
    const params = orderParams(flags)
    const placed = await client(flags, io)
      .placeOrder(params)
      .catch((error: unknown) => {
        throw mayBePlaced(error) ? new UnfinishedError(params.mchTradeNo, error) : error
      })
    return {
      exit: EXIT.done,
      json: placed,
      lines: [
        '下单成功 order placed',
        ...table([
          ['平台订单号 transaction_no', placed.transactionNo],
          ['商户订单号 mch_trade_no', placed.mchTradeNo],
          ['收银台 cashier_url', placed.cashierUrl],
        ]),
        '',
        `关单 to close it: ${ownName(io)} order close --transaction-no ${placed.transactionNo}`,
      ],
    }
  },
}

const mayBePlaced = (error: unknown): error is AcoPayError =>
  error instanceof ConnectionError ||
  error instanceof SignatureError ||
  (error instanceof ApiError && error.isRetryable)

function orderParams(flags: Flags): OrderParams {
  const [expire, extra, notifyUrl] = [
    textFlag(flags, 'expire'),
    textFlag(flags, 'extra'),
    textFlag(flags, 'notify-url'),
  ]
  if (expire !== undefined && Number.isNaN(Date.parse(expire))) {
    throw new UsageError('--expire 应为时间，如 2026-01-31T08:00:00+08:00 (should be a time)')
  }
  return {
    mchTradeNo: textFlag(flags, 'mch-trade-no') ?? newTradeNo(),
    description: requiredFlag(flags, 'description'),
    amountTotal: requiredFlag(flags, 'amount'),
    ...(expire === undefined ? {} : { timeExpire: new Date(expire) }),
    ...(extra === undefined ? {} : { extra }),
    ...(notifyUrl === undefined ? {} : { notifyUrl }),
  }
}

export const queryCommand: Command = {
  usage: '--transaction-no NO | --mch-trade-no NO',
  zh: '查单',
  en: 'query an order',
  options: { ...SETTINGS_OPTIONS, ...REF_OPTIONS },
  async run(flags, io) {
    const order = await client(flags, io).queryOrder(refOf(flags))
    return {
      exit: EXIT.done,
      json: order,
      lines: [
        `${order.description} ${order.state}`,
        ...table([
          ['平台订单号 transaction_no', order.transactionNo],
          ['商户订单号 mch_trade_no', order.mchTradeNo],
          ['金额 amount_total', `${order.amountTotal} CNY`],
          ['支付时间 success_time', order.successTime?.toISOString() ?? null],
          ['支付渠道 pay_channel', order.payChannel],
          ['附加数据 extra', order.extra],
        ]),
      ],
    }
  },
}

export const evidenceCommand: Command = {
  usage: '--transaction-no NO | --mch-trade-no NO',
  zh: '关单凭证',
  en: 'show the proof that an order was closed',
  options: { ...SETTINGS_OPTIONS, ...REF_OPTIONS },
  async run(flags, io) {
    const evidence = await client(flags, io).closeEvidence(refOf(flags))
    const said = evidence.upstreamAnswers.map(
      ({ at, channel, verb, says, requestId }) =>
        `  ${at}  ${channel} ${verb}: ${says}${requestId ? ` (${requestId})` : ''}`,
    )
    return {
      exit: EXIT.done,
      json: evidence,
      lines: [
        `${evidence.reason} closed`,
        ...table([
          ['平台订单号 transaction_no', evidence.transactionNo],
          ['商户订单号 mch_trade_no', evidence.mchTradeNo],
          ['不可发起支付 fenced', evidence.fenceTime.toISOString()],
          ['全部关闭 closed', evidence.closeTime.toISOString()],
          ['时间线 timeline', `${evidence.timelineLength} ${evidence.timelineHash}`],
        ]),
        ...(said.length === 0
          ? ['没有发起过支付 no payment was ever started']
          : ['上游应答 answers of the upstreams:', ...said]),
      ],
    }
  },
}

const OUTCOMES = {
  closed: 'closed; it is never paid',
  expired: 'expired and closed; it is never paid',
  paid: 'paid; the payer was faster',
  closing: 'being closed; close it again later',
} as const

export const closeCommand: Command = {
  usage: '--transaction-no NO | --mch-trade-no NO',
  zh: '关单',
  en: 'close an order',
  options: { ...SETTINGS_OPTIONS, ...REF_OPTIONS },
  async run(flags, io) {
    const closed = await client(flags, io).closeOrder(refOf(flags))
    return {
      exit: closed.outcome === 'closed' ? EXIT.done : EXIT.refused,
      json: closed,
      lines: [
        `${closed.description} ${OUTCOMES[closed.outcome]}`,
        ...table([
          ['平台订单号 transaction_no', closed.transactionNo],
          ['商户订单号 mch_trade_no', closed.mchTradeNo],
        ]),
      ],
    }
  },
}
