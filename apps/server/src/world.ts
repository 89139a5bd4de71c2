/** Everything that an action uses besides its arguments. start/build-world.ts builds it once. */

import type { Channel } from '@acopay/channels'
import type { Sign } from '@acopay/protocol'
import type {
  CallKind,
  GroupOf,
  LoggedCall,
  Placed,
  Placing,
  Pool,
  Spread,
  UntouchedAnswer,
  UntouchedAsk,
} from '@acopay/store'
import type { Logger } from 'pino'
import type { BillFile, BillLinks } from './actions/bill/bill-links.ts'
import type { KnownMerchants } from './http/merchant/known-merchants.ts'
import type { AlarmLines } from './metrics/alarm-lines.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { SafePost } from './outbound/safe-post.ts'
import type { Hashing } from './security/hashing.ts'
import type { IdentityProvider } from './security/identity-provider.ts'
import type { KnownDevices } from './security/known-devices.ts'
import type { KeyedDigits } from './security/numbers.ts'
import type { PasskeySite } from './security/passkey-site.ts'
import type { Stamps } from './security/stamps.ts'
import type { Secrets } from './security/vault.ts'
import type { Tracer } from './tracing/along.ts'

export type Limits = {
  /** A close answers within this time, also when an upstream does not answer. */
  closeBudgetMs: number
  /** The time-out of one call to an upstream. */
  channelCallMs: number
  /** How long one process holds a job before another may lease it. */
  leaseMs: number
  /** A job older than this raises an alarm. */
  alarmAfterMs: number
  /** How long a nonce is remembered. */
  nonceWindowMs: number
  /** Days for which the audit log is kept; 0: for good. */
  auditDays: number
  /** Days for which tries of notifications, counts of hours and reconciliations are kept; 0: for good. */
  tryDays: number
  hourDays: number
  reconciliationDays: number
}

/** `byMs`: how far the machine's clock is ahead; negative where it is behind. */
export type ClockDoubt = { against: 'steady clock' | 'database'; byMs: number }

/** The log of merchants' calls. */
export type CallLog = {
  /** Whether calls are kept at all. */
  isOn: boolean
  /** Keeps a call, in memory. */
  add: (mchNo: string, kind: CallKind, call: LoggedCall) => void
  /** Writes what has been kept. What cannot be written is dropped. */
  write: () => Promise<void>
}

/** Asks for a list over all merchants, or over those whose rows can be reached; then it may ask twice. */
export type OverAll = <Result>(list: (spread: Required<Spread>) => Promise<Result>) => Promise<Result>

export type World = {
  pool: Pool
  /**
   * Whether this process serves: only then is it told to be ready. One that is `leaving` is ready: other processes of the same gateway
   * take its calls over, and a balancer shall notice nothing.
   */
  phase: () => 'starting' | 'ready' | 'leaving' | 'stopping'
  /**
   * The merchant's own account with an upstream; null where there is none. Protected by a circuit breaker per account. `account`: its sealed
   * settings, where the caller has just read them.
   */
  channelOf: (mchNo: string, channel: string, account?: Buffer | null) => Promise<Channel | null>
  limits: Limits
  isSandbox: boolean
  /** What the console asks of its users. */
  consoleRules: {
    /** Roles that need a second factor: an authenticator or a passkey. */
    totpRoles: ReadonlySet<string>
    proofAboveFen: bigint
    secondPersonAboveFen: bigint | null
    /** An operation for more orders than this waits for a second person; null: no bound. */
    bulkAloneMax: number | null
    /** Where passkeys work, for a request that names this host; null: nowhere. */
    passkeySiteOf: (host: string) => PasskeySite | null
  }
  /** By which users may sign in besides their password; null where the installation has none. */
  identityProvider: IdentityProvider | null
  /** Which merchants may share a statement. */
  groupOf: GroupOf
  /** What goes over all merchants in the background: while a node of the database does not answer, over the others' merchants. */
  overAll: OverAll
  /** The merchants who call. Callers who ask at the same time share one statement. */
  merchants: KnownMerchants
  /** Records an order with its nonce: `insertOrdersTogether` in actions/order/place-order.ts. */
  insertOrder: (placing: Placing) => Promise<Placed>
  /** Closes orders for which no attempt was ever opened: `closeUntouchedTogether` in actions/order/close-order.ts. */
  closeUntouched: (ask: UntouchedAsk) => Promise<UntouchedAnswer>
  /** Records the nonce of a query, so that its signature is not good for a request that changes something. Callers share a statement. */
  rememberNonce: (mchNo: string, nonce: string) => Promise<void>
  /** The body of a notification: the fields in `news`, signed for this merchant at this moment. */
  signNotification: (mchNo: string, news: Record<string, string | null>, at: Date) => Promise<string>
  /** The key that signs answers now, and its id. */
  signingKey: () => { keyId: string; sign: Sign }
  /** Posts to a URL that a merchant supplied, if it may be called. */
  post: SafePost['post']
  /** An address of a name to which a connection may be opened, by the same rules; for mail. */
  addressOf: SafePost['addressOf']
  /** Why a merchant's URL is always refused; null when it may be allowed. */
  urlRefusal: SafePost['refusal']
  /** The URL to which an upstream sends webhooks. */
  notifyUrl: (mchNo: string, channel: string) => string
  /** A URL at which a bill can be fetched for the next half hour. */
  billUrl: (file: BillFile) => string
  billLinks: BillLinks
  /** The log of merchants' calls. */
  callLog: CallLog
  /** Browsers in which users of the console have signed in. */
  devices: KnownDevices
  /** Where the console's passwords are hashed, one at a time. */
  hashing: Hashing
  /** The cashier page of an order. */
  cashierUrl: (mchNo: string, transactionNo: string) => string
  /** A page of the console: its path below /console/. */
  consoleUrl: (page: string) => string
  /** Whether this is the proof at the end of the order's cashier URL; compared in constant time. */
  isCashierProof: (order: { mchNo: string; transactionNo: string }, proof: string) => boolean
  /** Keyed hashes over what may not be rewritten. */
  stamps: Stamps
  /** Stamps and unstamps stored secrets. `place` is their table and row. */
  secrets: Secrets
  log: Logger
  /** What is counted for Prometheus. */
  metrics: Metrics
  /** Log lines that are worth an alert, until the alarms are looked at. */
  alarmLines: AlarmLines
  /** Begins traces (docs/traces.md). */
  tracer: Tracer
  /** The time. A jump of the machine's clock does not change it; start/clock.ts tells how. */
  now: () => Date
  /** The time by which something ends for good (an order expires, an upstream's "not found" becomes proof): `now`, which stands still
   * while the clock is in doubt. */
  sureNow: () => Date
  /**
   * How far `now` is ahead of the time outside, since the sandbox's clock can be moved; 0 in production. What people or machines compare
   * with their own clocks (codes of an authenticator, `notify_time`) follows the time outside.
   */
  aheadMs: () => number
  /** Whole milliseconds that have really passed since some moment: for deadlines and durations, which no moved clock may end. */
  steadyMs: () => number
  /** Why the clock is in doubt; null while it is not. */
  clockDoubt: () => ClockDoubt | null
  /** 0 ≤ x < 1, to spread retries. Not for secrets, because it can be predicted. */
  random: () => number
  /** `digits` random decimal digits that cannot be guessed. */
  newDigits: (digits: number) => string
  /** Digits of numbers that have to be found again after a restore. */
  keyedDigits: KeyedDigits
  newNonce: () => string
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}
