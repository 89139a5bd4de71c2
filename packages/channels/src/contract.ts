/**
 * What a channel can be asked, and what it may answer (spec/order-lifecycle.md, Words and Closing).
 *
 * A channel is made for one account with an upstream. It translates: it keeps no state, reads no configuration and
 * never throws for what an upstream may say. Only words that the upstream's manual defines are an answer; a time-out,
 * a 5xx, an unreadable or badly signed reply and a word never seen before are all `unknown`, which means "perhaps"
 * and never "no".
 */
import type { Fen } from '@acopay/core'

/** An attempt's own number, ours, under which the upstream knows it. */
export type AttemptRef = { attemptNo: string }

/** Ways to pay: a code to scan, a page on a telephone or a desktop, inside the wallet's own browser, from an app. */
export const PAY_METHODS = ['native', 'h5', 'page', 'jsapi', 'app'] as const
export type PayMethod = (typeof PAY_METHODS)[number]

/** Ways that can be opened only for a payer who is known to the wallet. */
export const NEEDS_PAYER: ReadonlySet<string> = new Set<PayMethod>(['jsapi'])

export type OpenAsk = AttemptRef & {
  method: string
  amountFen: Fen
  description: string
  /** The upstream refuses payment from then on. */
  expireAt: Date
  /** Where the upstream tells us of the payment. */
  notifyUrl: string
  /** Where a page sends the payer back to; null stays with the upstream. */
  returnUrl: string | null
  payerIp: string | null
  /** Who the payer is to the wallet; needed for the methods of `NEEDS_PAYER`. */
  openId: string | null
}

/** `refused`: the code is spent, old or of somebody else's app. */
export type SignInAnswer = { kind: 'payer'; openId: string } | { kind: 'refused'; why: string } | Unknown

/** How the wallet tells who the payer is, without asking them. */
export type PayerSignIn = {
  /** Where the payer's browser is sent. It is sent back to `returnUrl` with `code` and `state` in the query. */
  address: (ask: { returnUrl: string; state: string }) => string
  /** Whose code it is; asking spends it. */
  payerOf: (code: string, signal: AbortSignal) => Promise<SignInAnswer>
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

/** `why` is for the log and the timeline; it holds nothing secret. */
export type Unknown = { kind: 'unknown'; why: string }

/** What the upstream calls this exchange, where it says so: kept as evidence. */
export type Traced = { requestId?: string }

/** `payUrl`: the code's content, the page's address, or the JSON a wallet's browser or an app is started with. */
export type OpenAnswer = Traced & ({ kind: 'opened'; payUrl: string } | { kind: 'refused'; why: string } | Unknown)

export type QueryAnswer = Traced &
  (
    | { kind: 'open' }
    | { kind: 'closed' }
    /** The upstream has never heard of it: proof only once our own create can no longer land. */
    | { kind: 'absent' }
    | { kind: 'paid'; payment: UpstreamPayment }
    /** It was paid, and all of it has been sent back since, by whomever: nothing more can be paid. */
    | { kind: 'returned'; payment: UpstreamPayment }
    | Unknown
  )

/**
 * None of these proves that the attempt can no longer be paid; only a query afterwards does. A close never moves money:
 * a paid attempt stays paid (spec/order-lifecycle.md, Closing 2). `absent`: there is nothing to close (yet).
 */
export type CloseAnswer = Traced & ({ kind: 'accepted' } | { kind: 'paid' } | { kind: 'absent' } | Unknown)

/** A refund as the upstream knows it. */
export type RefundRef = AttemptRef & Pick<RefundAsk, 'refundNo' | 'paymentNo'>

export type RefundAsk = AttemptRef & {
  /** Ours; saying the same number again does nothing a second time. */
  refundNo: string
  /** Which payment: an attempt's number may have been paid twice upstream, and only one of the two is to go back. */
  paymentNo: string
  amountFen: bigint
  /** What the attempt was paid with in all. */
  totalFen: bigint
  /** Shown to the payer; at most 32 characters. */
  reason: string
  /** Where the upstream tells that it has ended; a channel whose refunds end at once has no use for it. */
  notifyUrl: string
}

/** It will take its time, days where a bank is asked. `why`: it does not go on by itself, somebody has to help. */
export type RefundUnderWay = { kind: 'processing'; why?: string }

export type RefundAnswer = Traced & ({ kind: 'done' } | RefundUnderWay | { kind: 'refused'; why: string } | Unknown)

/** `failed`: nothing was sent back under this number, and nothing will be. `done` says how much was. */
export type RefundQueryAnswer = Traced &
  (
    | { kind: 'done'; amountFen: bigint }
    | RefundUnderWay
    | { kind: 'absent' }
    | { kind: 'failed'; why: string }
    | Unknown
  )

/** A request that claims to come from the upstream, as it arrived. Header names are in lower case. */
export type RawNotification = { headers: Record<string, string | undefined>; body: string }

export type Notification =
  | { kind: 'paid'; attemptNo: string; payment: UpstreamPayment }
  /** A refund has ended, one way or the other: a reason to ask, and no more than that. */
  | { kind: 'refund'; refundNo: string }
  /** Authentic, and nothing we act on: a state that is not final. */
  | { kind: 'other'; what: string }
  /** Not proven to be the upstream's, stale, or not for this account. Changes nothing. */
  | { kind: 'forged'; why: string }

/** What the upstream wants to hear so that it stops telling, or tells again. */
export type NotificationReply = { status: number; contentType: string; body: string }

export type BillLine =
  | { kind: 'payment'; attemptNo: string; paymentNo: string; amountFen: bigint; at: Date }
  | { kind: 'refund'; attemptNo: string; paymentNo: string; refundNo: string; amountFen: bigint; at: Date }

/** `none`: nothing happened that day. `later`: the upstream has not made it yet. */
export type BillAnswer = Traced & ({ kind: 'bill'; lines: BillLine[] } | { kind: 'none' } | { kind: 'later' } | Unknown)

/** Every call gives up when `signal` says so, and then answers `unknown`. */
export interface Channel {
  /** Ways to pay that this channel opens, `native` first if it has one. */
  readonly methods: readonly PayMethod[]
  /**
   * How long what is shown to the payer works, in ms from the opening on, where that may be shorter than the attempt's
   * own life: afterwards another attempt has to be opened, and this one can be paid all the same by whoever began in
   * time.
   */
  readonly payUrlLivesMs: Partial<Record<PayMethod, number>>
  /** Null where this account cannot tell who a payer is. */
  readonly signIn: PayerSignIn | null
  /**
   * Whether this upstream calls an attempt absent that was opened and that nobody has begun to pay. Where it does not,
   * absent is no proof for one that it has once confirmed: it may be another machine of theirs, or another account of
   * ours.
   */
  readonly forgetsUnscanned: boolean
  /** How long after we gave up a create may still land upstream, in ms. */
  readonly createLandsMs: number
  /** How long after its expiry money for an attempt may still be heard of, in ms: a closed order is watched so long. */
  readonly watchMs: number
  open(ask: OpenAsk, signal: AbortSignal): Promise<OpenAnswer>
  query(ref: AttemptRef, signal: AbortSignal): Promise<QueryAnswer>
  close(ref: AttemptRef, signal: AbortSignal): Promise<CloseAnswer>
  refund(ask: RefundAsk, signal: AbortSignal): Promise<RefundAnswer>
  queryRefund(ref: RefundRef, signal: AbortSignal): Promise<RefundQueryAnswer>
  /** Checks and reads what claims to be a notification. */
  readNotification(raw: RawNotification): Promise<Notification>
  /** `true`: heard, tell no more. `false`: tell again. */
  replyToNotification(isHeard: boolean): NotificationReply
  /** The bill of one day in UTC+8, `yyyy-MM-dd`. */
  fetchBill(day: string, signal: AbortSignal): Promise<BillAnswer>
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

/** An amount as bills write it, in yuan, of any size and sign; null when it is none. What an order may ask is less. */
export function billFen(text: string): bigint | null {
  const [, sign, yuan, fen = ''] = /^(-?)(\d{1,12})(?:\.(\d{1,2}))?$/.exec(text) ?? []
  if (yuan === undefined) return null
  const amount = BigInt(yuan) * 100n + BigInt(fen.padEnd(2, '0'))
  return sign === '-' ? -amount : amount
}
