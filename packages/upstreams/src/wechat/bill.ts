/** The trade bill of a day: made from the books when it is asked for. */
import type { UpstreamReply } from '../stand-in.ts'
import type { Trades } from '../trades.ts'
import { type Answer, refuse, timeText } from './verbs.ts'

const HEAD =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,' +
  '应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,' +
  '订单金额,申请退款金额,费率备注'

const yuan = (fen: number): string => (fen / 100).toFixed(2)

export async function billFile(trades: Trades, day: string): Promise<UpstreamReply> {
  const rows: string[][] = []
  for (const { no, description, payment, refunds } of await trades.list()) {
    if (payment === null) continue
    const row = (state: string, atMs: number, refund: [string, string, string]): string[] => [
      ...[
        timeText(atMs).slice(0, 19).replace('T', ' '),
        '',
        '',
        '',
        '',
        payment.no,
        no,
        payment.payer,
        'NATIVE',
        state,
      ],
      ...['OTHERS', 'CNY', yuan(payment.fen), '0.00', refund[0], refund[1], refund[2], '0.00', '', ''],
      ...[description, '', '0.00', '0.60%', yuan(payment.fen), refund[2], ''],
    ]
    if (timeText(payment.atMs).startsWith(day)) rows.push(row('SUCCESS', payment.atMs, ['0', '0', '0.00']))
    for (const refund of refunds) {
      if (timeText(refund.atMs).startsWith(day))
        rows.push(row('REFUND', refund.atMs, [refund.id, refund.no, yuan(refund.fen)]))
    }
  }
  const lines = rows.map((cells) => `\`${cells.join(',`')}`)
  const body = [HEAD, ...lines, '总交易单数,应结订单总金额', `\`${rows.length},\`0.00`].join('\r\n')
  return { status: rows.length === 0 ? 404 : 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

export function billAnswer(
  file: UpstreamReply,
  mount: string,
  day: string,
  sha1: (file: string | Buffer) => string,
): Answer {
  if (file.status === 404) return refuse(400, 'NO_STATEMENT_EXIST')
  return {
    status: 200,
    data: { hash_type: 'SHA1', hash_value: sha1(file.body), download_url: `${mount}/v3/bill/file?day=${day}` },
  }
}
