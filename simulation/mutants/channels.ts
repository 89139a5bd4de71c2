/** Mistakes in what a channel believes, one for each way in which money was lost or told wrongly (docs/upstreams/findings.md). */
import { ACTIONS, type Mutant } from './mutant.ts'

const WECHAT = 'packages/channels/src/wechat'
const ALIPAY = 'packages/channels/src/alipay'

export const CHANNELS: Mutant[] = [
  {
    name: 'F1: any word of Alipay refuses a refund',
    file: `${ALIPAY}/refund.ts`,
    find: 'if (REFUSED.has(refusal(answer)))',
    replace: "if (REFUSED.has(refusal(answer)) || refusal(answer) !== '')",
  },
  {
    name: 'F1: any word of WeChat Pay refuses a refund',
    file: `${WECHAT}/refund.ts`,
    find: 'if (REFUSED.has(answer.code))',
    replace: "if (REFUSED.has(answer.code) || answer.code !== '')",
  },
  {
    name: "F3: a bill's line books a payment",
    file: `${ACTIONS}/reconciliation/reconcile-day.ts`,
    find: "  if (says.kind !== 'paid' && says.kind !== 'returned') return [{ ...unknown, isUnanswered: says.kind === 'unknown' }]\n  const { payment } = says\n",
    replace:
      "  const isSaid = says.kind === 'paid' || says.kind === 'returned'\n  const payment = isSaid ? says.payment : { paymentNo, amountFen, currency: 'CNY', paidAt: line.at, payer: null }\n",
  },
  {
    name: 'F7: a date of payment proves that a closed Alipay trade was paid',
    file: `${ALIPAY}/query.ts`,
    find: "const taken = hasFunds(data) ? 'yes' : await wasRefunded(alipay, data, signal)",
    replace:
      "const taken = hasFunds(data) || data.send_pay_date !== undefined ? 'yes' : await wasRefunded(alipay, data, signal)",
  },
  {
    name: 'F9: a refund that the bill calls failed is a refund',
    file: `${WECHAT}/bill.ts`,
    find: "return [{ kind: 'refund_not_done', ...refund, why: state }]",
    replace: "return [{ kind: 'refund', ...refund }]",
  },
  {
    name: 'F15: a WeChat payment of nothing is a payment',
    file: `${WECHAT}/transaction.ts`,
    find: '(fen as number) > 0',
    replace: '(fen as number) >= 0',
  },
  {
    name: 'F15: an Alipay payment of nothing is a payment',
    file: `${ALIPAY}/transaction.ts`,
    find: 'fen > 0n',
    replace: 'fen >= 0n',
  },
  {
    name: 'F18: a WeChat refund is done because another one is',
    file: `${WECHAT}/refund.ts`,
    find: 'data.out_refund_no === refundNo && data.transaction_id === paymentNo',
    replace: "data.out_refund_no !== '' || data.transaction_id === refundNo + paymentNo",
  },
  {
    name: 'F18: an Alipay refund is done because one of another payment is',
    file: `${ALIPAY}/refund.ts`,
    find: 'data.trade_no === paymentNo && (data.out_trade_no === undefined || data.out_trade_no === attemptNo)',
    replace: 'data.trade_no !== paymentNo + attemptNo',
  },
  {
    name: 'an answer without the signature of WeChat Pay is believed',
    file: `${WECHAT}/client.ts`,
    find: 'if (!(await isTheirs(headers, bytes))) throw',
    replace: 'if (!(await isTheirs(headers, bytes)) && nowhere()) throw',
  },
  {
    name: 'an answer without the signature of Alipay is believed',
    file: `${ALIPAY}/client.ts`,
    find: 'if (!isTheirs) throw unbelieved(name',
    replace: 'if (!isTheirs && nowhere()) throw unbelieved(name',
  },
  {
    name: "a stranger's webhook of WeChat Pay is believed",
    file: `${WECHAT}/notification.ts`,
    find: 'if (!(await client.isTheirs(signed, body)))',
    replace: 'if (!(await client.isTheirs(signed, body)) && nowhere())',
  },
  {
    name: "a stranger's webhook of Alipay is believed",
    file: `${ALIPAY}/notification.ts`,
    find: 'if (!(await client.isTheirs(form)))',
    replace: 'if (!(await client.isTheirs(form)) && nowhere())',
  },
  {
    name: "another transaction's state at WeChat Pay is believed",
    file: `${WECHAT}/query.ts`,
    find: 'if (read === null || read.attemptNo !== attemptNo)',
    replace: 'if (read === null)',
  },
  {
    name: "another trade's state at Alipay is believed",
    file: `${ALIPAY}/query.ts`,
    find: 'const isAsked = foundNo === attemptNo && ',
    replace: 'const isAsked = foundNo !== undefined && ',
  },
  {
    name: 'any word of WeChat Pay refuses an opening',
    file: `${WECHAT}/open.ts`,
    find: 'if (REFUSED.has(answer.code))',
    replace: "if (REFUSED.has(answer.code) || answer.code !== '')",
  },
  {
    name: 'any word of Alipay refuses an opening',
    file: `${ALIPAY}/open.ts`,
    find: 'payUrl: code })\n  if (REFUSED.has(refusal(answer)))',
    replace: "payUrl: code })\n  if (REFUSED.has(refusal(answer)) || refusal(answer) !== '')",
  },
  {
    name: 'a state that WeChat Pay never had is closed',
    file: `${WECHAT}/transaction.ts`,
    find: '    default:\n      return null\n',
    replace: "    default:\n      return { attemptNo, says: { kind: 'closed' } }\n",
  },
  {
    name: 'a state that Alipay never had is closed',
    file: `${ALIPAY}/query.ts`,
    find: '    default:\n      return undefinedAnswer(answer)\n',
    replace: "    default:\n      return { kind: 'closed' }\n",
  },
]
