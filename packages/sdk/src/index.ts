export { canonicalJson as canonicalText, ERRORS, type ErrorName, privateKeyFrom, publicKeyFrom } from '@acopay/protocol'
export {
  AcoPay,
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
} from './acopay.ts'
export type { CallOptions } from './client.ts'
export type { Difference, FieldDifference } from './difference.ts'
export { AcoPayError, ApiError, ConnectionError, ParameterError, SignatureError } from './errors.ts'
export { explainSignature, type SignatureReport, type Signed } from './explain.ts'
export { newKeyPair } from './keys.ts'
export type {
  NotificationFilter,
  NotificationPage,
  NotificationState,
  NotificationSummary,
  NotificationTry,
  ResendChoice,
} from './notification-list.ts'
export type { AcoPayOptions } from './options.ts'
export type { Refund, RefundParams, RefundRef } from './refunds.ts'
export { signRequest } from './sign-request.ts'
export type { Finding } from './slips.ts'
