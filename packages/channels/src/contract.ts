/**
 * The contract of a channel: its calls and their possible answers (spec/order-lifecycle.md, Words and Closing).
 *
 * A channel is made for one account with an upstream. It translates: it stores nothing, reads no configuration and
 * never throws because of an upstream's answer. Only words that the upstream's manual defines count as an answer. A
 * time-out, a 5xx, an unreadable or badly signed reply and an undefined word are all `unknown`, which means "perhaps",
 * never "no".
 */
import type { Fen } from '@acopay/core'

/** The gateway's number of a payment attempt, under which the upstream knows it. */
export type AttemptRef = { attemptNo: string }

/** With `paymentNo` the upstream is asked about this payment: one attempt may have been paid twice. */
export type QueryAsk = AttemptRef & { paymentNo?: string }

/** By a code to scan, a page on a telephone or a desktop, in the wallet's browser, from an app, in a mini-program. */
export const PAY_METHODS = ['native', 'h5', 'page', 'jsapi', 'app', 'mini'] as const
export type PayMethod = (typeof PAY_METHODS)[number]

/** Ways to pay for which the channel needs the payer's `openId`. */
export const NEEDS_PAYER: ReadonlySet<string> = new Set<PayMethod>(['jsapi', 'mini'])

export type OpenAsk = AttemptRef & {
  method: string
  amountFen: Fen
  description: string
  /** From this time on the upstream refuses payment. */
  expireAt: Date
  /** The address to which the upstream sends its notification of the payment. */
  notifyUrl: string
  /** The address to which the upstream's page sends the payer back; null: the payer stays on the upstream's page. */
  returnUrl: string | null
  payerIp: string | null
  /** The payer's id in the wallet; required by the methods of `NEEDS_PAYER`. */
  openId: string | null
}

/** `refused`: the code is used, expired or of another app. */
export type SignInAnswer = { kind: 'payer'; openId: string } | { kind: 'refused'; why: string } | Unknown

/** How the wallet identifies the payer, without a question to the payer. */
export type PayerSignIn = {
  /** The wallet's address for the payer's browser, which comes back to `returnUrl` with `state` and a code (`codeName`). */
  address: (ask: { returnUrl: string; state: string }) => string
  codeName?: string // default `code`
  /** The payer to whom the code belongs. A code works once. */
  payerOf: (code: string, signal: AbortSignal) => Promise<SignInAnswer>
}

/** A payment of an attempt, as the upstream reports it. */
export type UpstreamPayment = {
  /** The upstream's own number of the payment. */
  paymentNo: string
  /** The amount that the upstream reports. The gateway compares it with the order's before it keeps the payment. */
  amountFen: bigint
  currency: string
  paidAt: Date
  /** The upstream's id of the payer; never a name or a telephone number. */
  payer: string | null
}

/**
 * `why` is for the log and the timeline; it contains nothing secret. `complaint`: the upstream's word for refusing the
 * request as such, such as a wrong signature or an unknown app. Upstreams do not sign such an answer, so it decides nothing;
 * it tells the operator that the account's settings are wrong. `restMs`: the upstream asks to be left alone so long.
 */
export type Unknown = { kind: 'unknown'; why: string; complaint?: string; restMs?: number }

/** The upstream's own number of the exchange, if it gave one. The gateway stores it as evidence. */
export type Traced = { requestId?: string }

/**
 * `payUrl`: a code's content, a page's address, or what starts the payment in a wallet's browser (JSON) or an app.
 */
export type OpenAnswer = Traced & ({ kind: 'opened'; payUrl: string } | { kind: 'refused'; why: string } | Unknown)

export type QueryAnswer = Traced &
  (
    | { kind: 'open' }
    | { kind: 'closed' }
    /** The upstream does not know the attempt. A proof only when the gateway's own create can no longer take effect. */
    | { kind: 'absent' }
    | { kind: 'paid'; payment: UpstreamPayment }
    /** It was paid and later refunded in full, by this gateway or elsewhere: nothing more can be paid. */
    | { kind: 'returned'; payment: UpstreamPayment }
    | Unknown
  )

/**
 * None of these proves that the attempt can no longer be paid; only a later query does. A close never moves money: a
 * paid attempt stays paid (spec/order-lifecycle.md, Closing 2). `absent`: there is nothing to close, or not yet.
 */
export type CloseAnswer = Traced & ({ kind: 'accepted' } | { kind: 'paid' } | { kind: 'absent' } | Unknown)

/** The numbers by which an upstream finds a refund. */
export type RefundRef = AttemptRef & Pick<RefundAsk, 'refundNo' | 'paymentNo'>

export type RefundAsk = AttemptRef & {
  /** The gateway's number. A repeated call with the same number does not refund twice. */
  refundNo: string
  /** The payment to refund: the upstream may have taken two for one attempt, and only one is to be returned. */
  paymentNo: string
  amountFen: bigint
  /** The whole amount of the payment. */
  totalFen: bigint
  /** Shown to the payer; at most 32 characters. */
  reason: string
  /** The address for the upstream's notification of the refund's end; unused by channels whose refunds end at once. */
  notifyUrl: string
}

/** In progress; may take days when a bank is involved. With `why` it is stuck until the merchant's staff act. */
export type RefundUnderWay = { kind: 'processing'; why?: string }

export type RefundAnswer = Traced & ({ kind: 'done' } | RefundUnderWay | { kind: 'refused'; why: string } | Unknown)

/**
 * `failed`: nothing was and nothing will be refunded under this number. `amountFen`: the refunded amount. `absent`: the
 * upstream shows no such refund, which proves something only `refundVisibleAfterMs` after the last call.
 */
export type RefundQueryAnswer = Traced &
  (
    | { kind: 'done'; amountFen: bigint }
    | RefundUnderWay
    | { kind: 'absent' }
    | { kind: 'failed'; why: string }
    | Unknown
  )

/**
 * An unverified request that claims to come from the upstream. Header names are in lower case. `body`: the bytes as they
 * were received, since signatures cover bytes and not every upstream writes UTF-8.
 */
export type RawWebhook = { headers: Record<string, string | undefined>; body: Buffer }

export type Webhook =
  | { kind: 'paid'; attemptNo: string; payment: UpstreamPayment }
  /** A refund has ended: a reason to query it, and no proof of its result. */
  | { kind: 'refund'; refundNo: string }
  /** Authentic, but about a state that is not final: the gateway ignores it. */
  | { kind: 'other'; what: string }
  /** Not proven to be the upstream's, too old, or for another account. The gateway ignores it. */
  | { kind: 'forged'; why: string }

/** The answer by which the upstream stops, or repeats, its notification. */
export type WebhookReply = { status: number; contentType: string; body: string }

export type UpstreamBillLine =
  | { kind: 'payment'; attemptNo: string; paymentNo: string; amountFen: bigint; at: Date }
  | { kind: 'refund'; attemptNo: string; paymentNo: string; refundNo: string; amountFen: bigint; at: Date }
  /** The upstream accepted a refund and has not made it; `why` is its word. Somebody has to look at it. */
  | {
      kind: 'refund_not_done'
      attemptNo: string
      paymentNo: string
      refundNo: string
      amountFen: bigint
      at: Date
      why: string
    }
  /** One row that is not what the manual says. `row` counts the bill's rows from 1. Numbers are empty if unreadable too. */
  | { kind: 'unreadable'; row: number; attemptNo: string; paymentNo: string; why: string }

/** `none`: nothing happened that day. `later`: the bill is not ready yet. */
export type UpstreamBillAnswer = Traced &
  ({ kind: 'bill'; lines: UpstreamBillLine[] } | { kind: 'none' } | { kind: 'later' } | Unknown)

/** Every call ends when `signal` aborts, and then answers `unknown`. */
export interface Channel {
  /** The ways to pay of this channel, `native` first if it has it. */
  readonly methods: readonly PayMethod[]
  /**
   * For ways to pay whose `payUrl` expires before the attempt: its lifetime in ms, from the opening on. After that the
   * gateway opens another attempt; a payer who opened the page in time can still pay the first one.
   */
  readonly payUrlTtlMs: Partial<Record<PayMethod, number>>
  /** Null when this account cannot identify payers. */
  readonly signIn: PayerSignIn | null
  /** The payer in the merchant's mini-program, by the code that the wallet gave the program. Absent: it has none. */
  readonly miniSignIn?: Pick<PayerSignIn, 'payerOf'>
  /**
   * Whether this upstream answers `absent` for an attempt that is open and that no payer has scanned. If it does not,
   * `absent` for an attempt whose create it confirmed is a contradiction (another machine of the upstream, or another
   * account) and proves nothing.
   */
  readonly tradeStartsAtScan: boolean
  /**
   * How long after a refund's call the upstream's query may still not show it, in ms. Until then `absent` proves nothing.
   */
  readonly refundVisibleAfterMs: number
  /** How long after its time-out a create may still take effect at the upstream, in ms. */
  readonly createInFlightMs: number
  /**
   * How long after an attempt's expiry the upstream may still report a payment, in ms: the gateway queries it so long.
   */
  readonly latePaymentWindowMs: number
  open(ask: OpenAsk, signal: AbortSignal): Promise<OpenAnswer>
  query(ask: QueryAsk, signal: AbortSignal): Promise<QueryAnswer>
  close(ref: AttemptRef, signal: AbortSignal): Promise<CloseAnswer>
  refund(ask: RefundAsk, signal: AbortSignal): Promise<RefundAnswer>
  queryRefund(ref: RefundRef, signal: AbortSignal): Promise<RefundQueryAnswer>
  /** Verifies and reads a request that claims to be a notification. */
  readWebhook(raw: RawWebhook): Promise<Webhook>
  /** `true`: acknowledge the notification. `false`: ask for it again. */
  replyToWebhook(isHeard: boolean): WebhookReply
  /** The bill of one day in UTC+8, `yyyy-MM-dd`. */
  fetchUpstreamBill(day: string, signal: AbortSignal): Promise<UpstreamBillAnswer>
}

export const unknown = (why: string): Unknown => ({ kind: 'unknown', why })

/** An answer that cannot be believed, with what it says all the same. */
export class Unbelieved extends Error {
  readonly says: Pick<Unknown, 'complaint' | 'restMs'>
  constructor(why: string, says: Pick<Unknown, 'complaint' | 'restMs'> = {}) {
    super(why)
    this.says = says
  }
}

/** How long to rest when the upstream says that there were too many requests, and does not say how long. */
const REST_MS = 1_000
const REST_MAX_MS = 5 * 60_000

/**
 * For an answer by which the upstream asks for fewer requests: HTTP 429, the header `retry-after`, or a word of its own.
 * Undefined for every other answer.
 */
export function restMsOf(response: Response, now: Date, isRateWord: boolean): number | undefined {
  const header = response.headers.get('retry-after')
  if (header === null) return response.status === 429 || isRateWord ? REST_MS : undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime()
  return Number.isNaN(ms) ? REST_MS : Math.min(Math.max(ms, 0), REST_MAX_MS)
}

/** The word of an answer without a signature, if it is fit for a log; null otherwise. */
export const wordOf = (value: unknown): string | null =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : null

/** JSON as an upstream or anybody else may write it: behind a byte order mark. */
export const parseJson = (text: string): unknown => JSON.parse(text.replace(/^\ufeff/, ''))

/** Makes a call `unknown` when it fails, and when it has no answer by the time `signal` aborts. */
export async function orUnknown<Answer>(signal: AbortSignal, call: () => Promise<Answer>): Promise<Answer | Unknown> {
  if (signal.aborted) return unknown('given up before it was asked')
  const gaveUp = new Promise<Unknown>((resolve) => {
    signal.addEventListener('abort', () => resolve(unknown('given up before it answered')), { once: true })
  })
  const answer = call().catch((error: unknown) => ({
    ...unknown(error instanceof Error ? error.message : 'the call failed'),
    ...(error instanceof Unbelieved ? error.says : {}),
  }))
  return Promise.race([answer, gaveUp])
}

/** A row of a bill that is not what the manual says: `why` names the cell. */
export const unreadableLine = (
  row: number,
  { attemptNo, paymentNo }: { attemptNo: string; paymentNo: string },
  why: string,
): UpstreamBillLine => ({
  kind: 'unreadable',
  row,
  attemptNo: isNumber(attemptNo) ? attemptNo : '',
  paymentNo: isNumber(paymentNo) ? paymentNo : '',
  why,
})

const DAY_MS = 24 * 3_600_000
/** The older of the two upstreams took its first payment in 2004. */
const FIRST_PAYMENT_MS = Date.parse('2004-01-01T00:00:00Z')

/** Whether this can be an upstream's number, or one of ours: it is compared, stored, shown and sent back. */
export const isNumber = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9A-Za-z_|*@-]{1,64}$/.test(value)

/**
 * When a payment was made. Upstreams may leave the time out of a payment's description: it counts as made now. Null when
 * it is no time, or one that cannot be.
 */
export function paidAtOf(time: Date | null, now: Date): Date | null {
  if (time === null) return now
  const isPossible = time.getTime() >= FIRST_PAYMENT_MS && time.getTime() <= now.getTime() + DAY_MS
  return isPossible ? time : null
}

/**
 * Reads an amount of a bill: yuan, with a sign and up to 12 digits, so also sums beyond an order's. Null when
 * unreadable.
 */
export function billFen(text: string): bigint | null {
  const [, sign, yuan, fen = ''] = /^(-?)(\d{1,12})(?:\.(\d{1,2}))?$/.exec(text) ?? []
  if (yuan === undefined) return null
  const amount = BigInt(yuan) * 100n + BigInt(fen.padEnd(2, '0'))
  return sign === '-' ? -amount : amount
}
