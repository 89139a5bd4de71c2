/**
 * The part of the store that the HTTP side may import: reads, and the types of rows. To write, it calls an action. Every name
 * is listed, so that no write is exported by mistake.
 */
export {
  ALARM_CHANNEL_KINDS,
  type AlarmChannel,
  type AlarmChannelKind,
  alarmChannels,
  alarmHealth,
} from './alarms/alarm-channels.ts'
export { type Alarm, type AlarmPlace, listAlarms } from './alarms/alarms.ts'
export { type ArchivedOrder, findArchivedOrder, findArchivedRefund } from './archive/archived.ts'
export { billPages } from './bills/archived-lines.ts'
export { BILL_KINDS, type Bill, type BillKey, type BillRow, findBill, readBillPart } from './bills/bills.ts'
export { type CallKind, type LoggedCall, listCalls, type SignatureSeen } from './calls/call-log.ts'
export { type Audit, type AuditFilter, listAudit } from './console/audit.ts'
export { type BulkRequest, findBulkRequest, listBulkRequests } from './console/bulk-requests.ts'
export {
  type Between,
  type CountedSpan,
  countedSpan,
  FIGURES,
  type Figures,
  figuresByChannel,
  figuresByClock,
  figuresByMerchant,
  figuresBySteps,
} from './console/figures.ts'
export {
  type BilledChannel,
  billedChannels,
  type DifferencePlace,
  findListedBill,
  type ListedBill,
  listBills,
  listDifferences,
  listReconciliations,
  listUnmatched,
  type UnmatchedPlace,
  type UpstreamDay,
  upstreamDays,
} from './console/finance-lists.ts'
export { findOrdersByAmount, findOrdersByBeginning, findOrdersByPaymentEnd } from './console/find.ts'
export { type FoundArchived, findArchivedByNumber } from './console/find-archived.ts'
export { type Invitation, listInvitations } from './console/invitations.ts'
export { listAllNotifications, listUndelivered, merchantOfOrder, type NotificationPlace } from './console/lists.ts'
export {
  countedHours,
  type Health,
  type HourFigures,
  readChannelHealth,
  readHealth,
  readHours,
} from './console/order-hours.ts'
export { findOrdersByNumber, type LastAnswer, type ListedOrder, readOrderParts } from './console/order-lists.ts'
export { type OrderNote, type OrderTag, orderNotes, orderTags } from './console/order-notes.ts'
export { FIRST_NUMBER, LAST_NUMBER, listOrders, type OrderListFilter } from './console/order-pages.ts'
export { listOrdersSorted, ORDER_SORTS, type OrderSort, type SortedPlace } from './console/order-sorts.ts'
export { behind, FIRST_REFUND, LAST_REFUND, listRefunds, listReversals } from './console/refund-pages.ts'
export { listRefundRequests, type RefundRequest } from './console/refund-requests.ts'
export { FIRST_REVERSAL, LAST_REVERSAL, listSentBack, type SentBack } from './console/sent-back.ts'
export type { ConsoleSession, SessionUser } from './console/sessions.ts'
export { type ConsoleUser, findConsoleUser, listConsoleUsers } from './console/users.ts'
export { type JobPlace, listStuckJobs } from './jobs/stuck-jobs.ts'
export { readLogo } from './merchants/apps.ts'
export { type ListedMerchant, listMerchants, readMerchantParts } from './merchants/merchant-admin.ts'
export { findMerchant, type Merchant } from './merchants/merchants.ts'
export { listPlatformKeys, platformKeys } from './merchants/platform-keys.ts'
export {
  countDeadNotifications,
  type ListedNotification,
  listNotifications,
  listNotificationTries,
} from './notifications/notification-lists.ts'
export {
  type CashierApp,
  type CashierView,
  type OrderKey,
  type Receipt,
  readCashierApp,
  readCashierViews,
  readReceipt,
} from './orders/cashier-views.ts'
export type { Looked, MerchantsOrder } from './orders/merchants-orders.ts'
export { findOrder, type Order } from './orders/orders.ts'
export { readTimeline, type TimelineEntry } from './orders/timeline.ts'
export { findAnyReversal } from './payments/any-reversal.ts'
export { listMerchantsRefunds, type MerchantsRefund } from './payments/merchants-refunds.ts'
export { findRefund, keptPayment } from './payments/refunds.ts'
