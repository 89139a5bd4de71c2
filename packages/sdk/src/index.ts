export { canonicalJson as canonicalText, ERRORS, type ErrorName, privateKeyFrom, publicKeyFrom } from '@acopay/protocol'
export { AcoPay } from './acopay.ts'
export type { Bill, NoBill, SavedBill, SaveOptions } from './bills.ts'
export type { CallFilter, CallPage, LoggedCall } from './call-log.ts'
export type { CallOptions } from './client.ts'
export type { Difference, FieldDifference } from './difference.ts'
export {
  AcoPayError,
  ApiError,
  ConnectionError,
  ParameterError,
  SignatureError,
  UnknownNotificationError,
} from './errors.ts'
export { explainSignature, type SignatureReport, type Signed } from './explain.ts'
export type { Attempt, AttemptEnd, Hooks } from './hooks.ts'
export { newKeyPair } from './keys.ts'
export type { Listing } from './listing.ts'
export {
  type NotificationAnswer,
  type NotificationCallbacks,
  type NotificationHandler,
  type NotificationOptions,
  notificationHandler,
} from './notification-handler.ts'
export type {
  NotificationFilter,
  NotificationPage,
  NotificationState,
  NotificationSummary,
  NotificationTry,
  ResendChoice,
} from './notification-list.ts'
export { fastifyPlugin, honoHandler, nodeHandler } from './notification-servers.ts'
export { memoryStore, type NotificationStore } from './notification-store.ts'
export {
  eventIdOf,
  type Freshness,
  type NotificationEvent,
  type PaymentEvent,
  type PaymentFacts,
  type PaymentReturnedEvent,
  type RefundEvent,
  type SentBackEvent,
  type VerifyOptions,
  verifyNotification,
} from './notifications.ts'
export type { AcoPayOptions } from './options.ts'
export type {
  ListedOrder,
  ListedRefund,
  OrderFilter,
  OrderPage,
  Period,
  RefundFilter,
  RefundPage,
} from './order-lists.ts'
export {
  type ClosedOrder,
  type CloseEvidence,
  type CloseOutcome,
  newTradeNo,
  type Order,
  type OrderParams,
  type OrderRef,
  type OrderState,
  type PlacedOrder,
  type UpstreamAnswer,
} from './orders.ts'
export type { Refund, RefundParams, RefundRef } from './refunds.ts'
export { type PayParams, type SignedRequest, signPayParams, signRequest } from './sign-request.ts'
export { signedTestNotification, type TestNotification } from './signed-test-notification.ts'
export type { Finding } from './slips.ts'
