export {
  ANSWER_FIELDS,
  type Answer,
  type FieldShape,
  type ListedCall,
  type ListedExchange,
  type ListedNotification,
  type ListedOrder,
  type ListedRefund,
  type ListedTry,
} from './answer-fields.ts'
export * from './answers.ts'
export * from './canonical.ts'
export * from './cashier.ts'
export * from './envelope.ts'
export * from './errors.ts'
export * from './json.ts'
export * from './moved.ts'
export * from './notifications.ts'
export * from './numbers.ts'
export { RECORDED } from './openapi/recorded.ts'
export type { Recorded, RecordedCall, RecordedCashier } from './openapi/recording.ts'
export * from './openapi.ts'
export * from './request-fields.ts'
export * from './requests.ts'
export * from './sign.ts'
export { insideSignature, type SignatureInside } from './signature-inside.ts'
