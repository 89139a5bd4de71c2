/** What `npm run record` writes down of a real gateway, for the examples of the OpenAPI document. */
import type { AnswerName } from '../answer-fields.ts'
import type { Envelope } from '../canonical.ts'
import type { NotificationKind } from '../notifications.ts'

type Params = { [name: string]: string }

export type SignatureHeaderValues = {
  'x-acopay-mch-no': string
  'x-acopay-nonce': string
  'x-acopay-sign-type': string
  'x-acopay-sign': string
}

/** One call as it went over the wire. `name` tells the examples of one call apart. */
export type RecordedCall = {
  call: AnswerName
  name: string
  zh: string
  en: string
  headers: SignatureHeaderValues
  params: Params
  answer: Envelope
}

/** An answer of the payer's page's calls, which are not signed. */
export type RecordedCashier = {
  call: 'state' | 'attempts'
  name: string
  zh: string
  en: string
  params: Params | null
  httpStatus: number
  answer: { [name: string]: string | null }
}

/** All that was recorded, with the public keys under which its signatures verify. The private keys were thrown away. */
export type Recorded = {
  merchantPublicKey: string
  platformPublicKey: string
  cashierUrl: string
  calls: readonly RecordedCall[]
  cashier: readonly RecordedCashier[]
  notifications: Record<NotificationKind, { [name: string]: string | null }>
}
