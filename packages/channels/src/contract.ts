/**
 * What a channel can be asked, and what it may answer (spec/order-lifecycle.md, Words and Closing).
 *
 * A channel translates: it keeps no state, reads no configuration and never throws for what an upstream may say.
 * Only words that the upstream's manual defines are an answer; a time-out, a 5xx, an unreadable or badly signed
 * reply and a word never seen before are all `unknown`, which means "perhaps" and never "no".
 */
import type { Fen } from '@acopay/core'

/** Whose attempt: the merchant's account with the upstream, and the attempt's own number there. */
export type AttemptRef = { account: string; attemptNo: string }

export type OpenAsk = AttemptRef & {
  method: string
  amountFen: Fen
  description: string
  /** The upstream refuses payment from then on. */
  expireAt: Date
}

/** Money an upstream says it took for an attempt. */
export type UpstreamPayment = {
  /** The upstream's own number of the payment. */
  paymentNo: string
  /** What the upstream says; compared with the order's amount before anything is kept. */
  amountFen: bigint
  currency: string
  paidAt: Date
  /** The payer as the upstream names them, never a name or a telephone number. */
  payer: string | null
}

export type Unknown = { kind: 'unknown'; why: string }

export type OpenAnswer = { kind: 'opened'; payUrl: string } | { kind: 'refused'; why: string } | Unknown

export type QueryAnswer =
  | { kind: 'open' }
  | { kind: 'closed' }
  /** The upstream has never heard of it: proof only once our own create can no longer land. */
  | { kind: 'absent' }
  | { kind: 'paid'; payment: UpstreamPayment }
  | Unknown

/** None of these proves that the attempt can no longer be paid; only a query afterwards does. */
export type CloseAnswer = { kind: 'accepted' } | { kind: 'paid' } | { kind: 'absent' } | Unknown

export type RefundAsk = AttemptRef & {
  /** Ours; saying the same number again does nothing a second time. */
  refundNo: string
  paymentNo: string
  amountFen: bigint
}

export type RefundAnswer = { kind: 'done' } | { kind: 'processing' } | { kind: 'refused'; why: string } | Unknown

/** Every call gives up when `signal` says so, and then answers `unknown`. */
export interface Channel {
  /** Ways to pay that this channel opens, `native` first if it has one. */
  readonly methods: readonly string[]
  /** How long after we gave up a create may still land upstream, in ms. */
  readonly createLandsMs: number
  open(ask: OpenAsk, signal: AbortSignal): Promise<OpenAnswer>
  query(ref: AttemptRef, signal: AbortSignal): Promise<QueryAnswer>
  close(ref: AttemptRef, signal: AbortSignal): Promise<CloseAnswer>
  refund(ask: RefundAsk, signal: AbortSignal): Promise<RefundAnswer>
}

export const unknown = (why: string): Unknown => ({ kind: 'unknown', why })

/** One call: what fails is `unknown`, and so is what has no answer when `signal` gives up. */
export async function orUnknown<Answer>(signal: AbortSignal, call: () => Promise<Answer>): Promise<Answer | Unknown> {
  if (signal.aborted) return unknown('given up before it was asked')
  const gaveUp = new Promise<Unknown>((resolve) => {
    signal.addEventListener('abort', () => resolve(unknown('given up before it answered')), { once: true })
  })
  const answer = call().catch((error: unknown) => unknown(error instanceof Error ? error.message : 'the call failed'))
  return Promise.race([answer, gaveUp])
}
