/** The headings of every file that a list is exported to, by hand: finance's own sheets are made for these. */
import { expect, it } from 'vitest'
import type { Column } from './cells.ts'
import * as columns from './columns.ts'
import { STATEMENT_COLUMNS } from './statement.ts'

// biome-ignore lint/suspicious/noExplicitAny: of whatever rows
const headings = (list: Column<any>[], language: 'zh' | 'en'): string => list.map((one) => one[language]).join('|')

const HEADINGS: Record<string, [zh: string, en: string]> = {
  ORDER_COLUMNS: [
    '商户号|平台订单号|商户订单号|应用|商品描述|金额（元）|状态|关闭原因|渠道|支付方式|创建时间|过期时间|付款时间',
    "Merchant|Order|Merchant's order|App|Description|Amount (CNY)|State|Closed by|Channel|Method|Created at|Expires at|Paid at",
  ],
  REFUND_COLUMNS: [
    '商户号|退款单号|商户退款单号|平台订单号|支付尝试号|渠道|金额（元）|状态|原因|失败原因|创建时间|退款成功时间',
    "Merchant|Refund|Merchant's refund|Order|Attempt|Channel|Amount (CNY)|State|Reason|Failure|Created at|Refunded at",
  ],
  REVERSAL_COLUMNS: [
    '商户号|退款单号|平台订单号|支付尝试号|上游支付单号|渠道|金额（元）|状态|最近应答|创建时间|变更时间',
    'Merchant|Reversal|Order|Attempt|Upstream payment|Channel|Amount (CNY)|State|Last answer|Created at|Changed at',
  ],
  NOTIFICATION_COLUMNS: [
    '商户号|平台订单号|序号|种类|状态|地址|尝试次数|创建时间|最近发送|下次发送|HTTP 状态|失败原因',
    'Merchant|Order|Number|Kind|State|Address|Tries|Created at|Last tried at|Next try at|HTTP status|Failure',
  ],
  BILL_COLUMNS: ['账单日|商户号|行数|字节数|SHA-256|生成时间', 'Bill day|Merchant|Lines|Bytes|SHA-256|Made at'],
  DIFFERENCE_COLUMNS: [
    '日|商户号|渠道|种类|平台订单号|支付尝试号|上游支付单号|退款单号|我方（元）|上游（元）|发现时间|已处理|备注|处理人',
    'Day|Merchant|Channel|Kind|Order|Attempt|Upstream payment|Refund|Ours (CNY)|Theirs (CNY)|Found at|Settled|Note|Settled by',
  ],
  UNMATCHED_COLUMNS: [
    '商户号|渠道|支付尝试号|上游支付单号|金额|币种|付款时间|得知时间|已处理|备注|处理人',
    'Merchant|Channel|Attempt|Upstream payment|Amount|Currency|Paid at|Reported at|Settled|Note|Settled by',
  ],
  MERCHANT_COLUMNS: ['商户号|名称|启用|应用数|密钥数|创建时间', 'Merchant|Name|Enabled|Apps|Keys|Created at'],
  AUDIT_COLUMNS: [
    '编号|时间|用户名|来源地址|操作|商户号|对象|结果|详情|变更',
    'Entry|Time|User|Address|Action|Merchant|Subject|Outcome|Detail|Changes',
  ],
  STATEMENT_COLUMNS: [
    '账单日|种类|时间|平台订单号|商户订单号|应用|退款单号|商户退款单号|渠道|上游支付单号|金额|币种|笔数|备注',
    "Bill day|Kind|Time|Order|Merchant's order|App|Refund|Merchant's refund|Channel|Upstream payment|Amount|Currency|Count|Note",
  ],
}

it('every export has these headings, in both languages', () => {
  const all = { ...columns, STATEMENT_COLUMNS }
  const found = Object.entries(all).map(([name, list]) => [name, [headings(list, 'zh'), headings(list, 'en')]])
  expect(Object.fromEntries(found)).toEqual(HEADINGS)
})
