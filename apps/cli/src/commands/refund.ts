/** `acopay refund` and `acopay refund query` */
import { AcoPay, newTradeNo, type Refund } from '@acopay/sdk'
import { type Command, EXIT, type Flags, type Io, requiredFlag, table, textFlag, UsageError } from '../command.ts'
import { readSettings, SETTINGS_OPTIONS } from '../settings.ts'

const client = (flags: Flags, io: Io): AcoPay =>
  new AcoPay(readSettings(flags, io, ['baseUrl', 'mchNo', 'appNo', 'mchPrivateKey', 'platformPublicKey']))

/** The given ones of these flags. */
const given = (flags: Flags, names: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(names).flatMap(([name, flag]) => {
      const value = textFlag(flags, flag)
      return value === undefined ? [] : [[name, value]]
    }),
  )

const NUMBERS = { transactionNo: 'transaction-no', mchTradeNo: 'mch-trade-no' }

export const refundCommand: Command = {
  usage: '--transaction-no NO | --mch-trade-no NO --amount 2.50 --reason TEXT [--mch-refund-no NO] [--notify-url URL]',
  zh: '退款',
  en: 'refund a paid order, in full or in part',
  options: {
    ...SETTINGS_OPTIONS,
    'transaction-no': { type: 'string' },
    'mch-trade-no': { type: 'string' },
    'mch-refund-no': { type: 'string' },
    amount: { type: 'string' },
    reason: { type: 'string' },
    'notify-url': { type: 'string' },
  },
  async run(flags, io) {
    const order = given(flags, NUMBERS)
    if (Object.keys(order).length === 0) {
      throw new UsageError('需要 --transaction-no 或 --mch-trade-no (give --transaction-no or --mch-trade-no)')
    }
    const mchRefundNo = textFlag(flags, 'mch-refund-no') ?? newTradeNo()
    // Printed before the call, so that the user can query or repeat the refund even when no answer comes.
    io.err(`商户退款单号 mch_refund_no  ${mchRefundNo}`)
    const [refundAmount, refundReason] = [requiredFlag(flags, 'amount'), requiredFlag(flags, 'reason')]
    const more = given(flags, { notifyUrl: 'notify-url' })
    const refund = await client(flags, io).refund({ ...order, mchRefundNo, refundAmount, refundReason, ...more })
    return { exit: refund.state === 'FAIL' ? EXIT.refused : EXIT.done, json: refund, lines: linesOf(refund) }
  },
}

export const refundQueryCommand: Command = {
  usage: '--refund-no NO | --mch-refund-no NO',
  zh: '查退款',
  en: 'query a refund',
  options: { ...SETTINGS_OPTIONS, 'refund-no': { type: 'string' }, 'mch-refund-no': { type: 'string' } },
  async run(flags, io) {
    const [refundNo, mchRefundNo] = [textFlag(flags, 'refund-no'), textFlag(flags, 'mch-refund-no')]
    const ref = refundNo === undefined ? mchRefundNo && { mchRefundNo } : { refundNo }
    if (!ref) throw new UsageError('需要 --refund-no 或 --mch-refund-no (give --refund-no or --mch-refund-no)')
    const refund = await client(flags, io).queryRefund(ref)
    const time = table([['退款时间 success_time', refund.successTime?.toISOString() ?? null]])
    return { exit: EXIT.done, json: refund, lines: [...linesOf(refund), ...time] }
  },
}

const linesOf = (refund: Refund): string[] => [
  `${refund.description} ${refund.state}`,
  ...table([
    ['平台退款单号 refund_no', refund.refundNo],
    ['商户退款单号 mch_refund_no', refund.mchRefundNo],
    ['平台订单号 transaction_no', refund.transactionNo],
    ['金额 refund_amount', `${refund.refundAmount} CNY`],
    ['渠道 refund_channel', refund.refundChannel],
  ]),
]
