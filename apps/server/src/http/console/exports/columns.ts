/** The columns of the lists' files: those of the pages' rows, with headings as the pages name them. */
import type {
  AuditRow,
  BillRow,
  DifferenceRow,
  MerchantRow,
  NotificationRow,
  OrderRow,
  RefundRow,
  ReversalRow,
  UnmatchedRow,
} from '@acopay/protocol/console'
import type { Column } from './cells.ts'

const MERCHANT = { zh: '商户号', en: 'Merchant', of: (row: { mch_no: string | null }) => row.mch_no }
const ORDER = { zh: '平台订单号', en: 'Order', of: (row: { transaction_no: string | null }) => row.transaction_no }
const CHANNEL = { zh: '渠道', en: 'Channel', of: (row: { channel: string }) => row.channel }
const STATE = { zh: '状态', en: 'State', of: (row: { state: string }) => row.state }
const ATTEMPT = { zh: '支付尝试号', en: 'Attempt', of: (row: { attempt_no: string }) => row.attempt_no }
const PAYMENT = { zh: '上游支付单号', en: 'Upstream payment', of: (row: { payment_no: string }) => row.payment_no }
const AMOUNT = {
  zh: '金额（元）',
  en: 'Amount (CNY)',
  kind: 'amount',
  of: (row: { amount: string }) => row.amount,
} as const
const CREATED = {
  zh: '创建时间',
  en: 'Created at',
  kind: 'time',
  of: (row: { created_at: string }) => row.created_at,
} as const

export const ORDER_COLUMNS: Column<OrderRow>[] = [
  MERCHANT,
  ORDER,
  { zh: '商户订单号', en: "Merchant's order", of: (row) => row.mch_trade_no },
  { zh: '应用', en: 'App', of: (row) => row.app_no },
  { zh: '商品描述', en: 'Description', of: (row) => row.description },
  { zh: '金额（元）', en: 'Amount (CNY)', kind: 'amount', of: (row) => row.amount_total },
  STATE,
  { zh: '关闭原因', en: 'Closed by', of: (row) => row.close_reason },
  { zh: '渠道', en: 'Channel', of: (row) => row.pay_channel },
  { zh: '支付方式', en: 'Method', of: (row) => row.pay_method },
  CREATED,
  { zh: '过期时间', en: 'Expires at', kind: 'time', of: (row) => row.time_expire },
  { zh: '付款时间', en: 'Paid at', kind: 'time', of: (row) => row.success_time },
]

export const REFUND_COLUMNS: Column<RefundRow>[] = [
  MERCHANT,
  { zh: '退款单号', en: 'Refund', of: (row) => row.refund_no },
  { zh: '商户退款单号', en: "Merchant's refund", of: (row) => row.mch_refund_no },
  ORDER,
  ATTEMPT,
  CHANNEL,
  AMOUNT,
  STATE,
  { zh: '原因', en: 'Reason', of: (row) => row.reason },
  { zh: '失败原因', en: 'Failure', of: (row) => row.failure },
  CREATED,
  { zh: '退款成功时间', en: 'Refunded at', kind: 'time', of: (row) => row.success_time },
]

/** Of payments that the gateway sends back. */
export const REVERSAL_COLUMNS: Column<ReversalRow>[] = [
  MERCHANT,
  { zh: '退款单号', en: 'Reversal', of: (row) => row.refund_no },
  ORDER,
  ATTEMPT,
  PAYMENT,
  CHANNEL,
  AMOUNT,
  STATE,
  { zh: '最近应答', en: 'Last answer', of: (row) => row.last_answer },
  CREATED,
  { zh: '变更时间', en: 'Changed at', kind: 'time', of: (row) => row.changed_at },
]

export const NOTIFICATION_COLUMNS: Column<NotificationRow>[] = [
  MERCHANT,
  ORDER,
  { zh: '序号', en: 'Number', kind: 'count', of: (row) => row.seq },
  { zh: '种类', en: 'Kind', of: (row) => row.kind },
  STATE,
  { zh: '地址', en: 'Address', of: (row) => row.url },
  { zh: '尝试次数', en: 'Tries', kind: 'count', of: (row) => row.tries },
  CREATED,
  { zh: '最近发送', en: 'Last tried at', kind: 'time', of: (row) => row.tried_at },
  { zh: '下次发送', en: 'Next try at', kind: 'time', of: (row) => row.next_at },
  { zh: 'HTTP 状态', en: 'HTTP status', kind: 'count', of: (row) => row.http_status },
  { zh: '失败原因', en: 'Failure', of: (row) => row.failure },
]

export const BILL_COLUMNS: Column<BillRow>[] = [
  { zh: '账单日', en: 'Bill day', of: (row) => row.bill_day },
  MERCHANT,
  { zh: '行数', en: 'Lines', kind: 'count', of: (row) => row.lines },
  { zh: '字节数', en: 'Bytes', kind: 'count', of: (row) => row.size_bytes },
  { zh: 'SHA-256', en: 'SHA-256', of: (row) => row.sha256 },
  { zh: '生成时间', en: 'Made at', kind: 'time', of: (row) => row.made_at },
]

const SETTLED: Column<{ settled: boolean; note: string | null; settled_by: string | null }>[] = [
  { zh: '已处理', en: 'Settled', of: (row) => (row.settled ? 'yes' : 'no') },
  { zh: '备注', en: 'Note', of: (row) => row.note },
  { zh: '处理人', en: 'Settled by', of: (row) => row.settled_by },
]

export const DIFFERENCE_COLUMNS: Column<DifferenceRow>[] = [
  { zh: '日', en: 'Day', of: (row) => row.day },
  MERCHANT,
  CHANNEL,
  { zh: '种类', en: 'Kind', of: (row) => row.kind },
  ORDER,
  ATTEMPT,
  PAYMENT,
  { zh: '退款单号', en: 'Refund', of: (row) => row.refund_no },
  { zh: '我方（元）', en: 'Ours (CNY)', kind: 'amount', of: (row) => row.ours },
  { zh: '上游（元）', en: 'Theirs (CNY)', kind: 'amount', of: (row) => row.theirs },
  { zh: '发现时间', en: 'Found at', kind: 'time', of: (row) => row.found_at },
  ...SETTLED,
]

export const UNMATCHED_COLUMNS: Column<UnmatchedRow>[] = [
  MERCHANT,
  CHANNEL,
  ATTEMPT,
  PAYMENT,
  { zh: '金额', en: 'Amount', kind: 'amount', of: (row) => row.amount },
  { zh: '币种', en: 'Currency', of: (row) => row.currency },
  { zh: '付款时间', en: 'Paid at', kind: 'time', of: (row) => row.paid_at },
  { zh: '得知时间', en: 'Reported at', kind: 'time', of: (row) => row.reported_at },
  ...SETTLED,
]

export const MERCHANT_COLUMNS: Column<MerchantRow>[] = [
  MERCHANT,
  { zh: '名称', en: 'Name', of: (row) => row.name },
  { zh: '启用', en: 'Enabled', of: (row) => (row.enabled ? 'yes' : 'no') },
  { zh: '应用数', en: 'Apps', kind: 'count', of: (row) => row.apps },
  { zh: '密钥数', en: 'Keys', kind: 'count', of: (row) => row.keys },
  CREATED,
]

export const AUDIT_COLUMNS: Column<AuditRow>[] = [
  { zh: '编号', en: 'Entry', of: (row) => row.audit_no },
  { zh: '时间', en: 'Time', kind: 'time', of: (row) => row.at },
  { zh: '用户名', en: 'User', of: (row) => row.username },
  { zh: '来源地址', en: 'Address', of: (row) => row.address },
  { zh: '操作', en: 'Action', of: (row) => row.action },
  MERCHANT,
  { zh: '对象', en: 'Subject', of: (row) => row.subject },
  { zh: '结果', en: 'Outcome', of: (row) => row.outcome },
  { zh: '详情', en: 'Detail', of: (row) => JSON.stringify(row.detail) },
  { zh: '变更', en: 'Changes', of: (row) => JSON.stringify(row.changes) },
]
