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
export { AcoPayError, ApiError, ConnectionError, ParameterError, SignatureError } from './errors.ts'
export { explainSignature, type Finding, type SignatureReport, type Signed } from './explain.ts'
export { newKeyPair } from './key-pair.ts'
export type { AcoPayOptions } from './options.ts'
export { signRequest } from './sign-request.ts'
