/** Everything the gateway touches that is not its argument: built once by main.ts, handed to every action. */

import type { KeyObject } from 'node:crypto'
import type { Channel } from '@acopay/channels'
import type { Merchant, Pool, UntouchedAnswer, UntouchedAsk } from '@acopay/store'
import type { Logger } from 'pino'
import type { BillFile, BillLinks } from './actions/bill/bill-links.ts'
import type { SafePost } from './outbound/safe-post.ts'

export type Limits = {
  /** A close answers within this, whatever upstream does. */
  closeBudgetMs: number
  /** One call to an upstream. */
  channelCallMs: number
  /** How long whoever works on a job is left alone. */
  leaseMs: number
  /** A job older than this raises an alarm. */
  alarmAfterMs: number
  /** How long a nonce is remembered. */
  nonceWindowMs: number
}

export type World = {
  pool: Pool
  /** The merchant's own account with an upstream, null where it has none. Its troubles stay its own: see guard.ts. */
  channelOf: (mchNo: string, channel: string) => Promise<Channel | null>
  limits: Limits
  isSandbox: boolean
  /** The merchant as the database says now; callers of one merchant who ask at once share one reading. */
  findMerchant: (mchNo: string) => Promise<Merchant | null>
  /** Closes orders for which no attempt was ever opened: `closeUntouchedTogether` in actions/order/close-order.ts. */
  closeUntouched: (mchNo: string, ask: UntouchedAsk) => Promise<UntouchedAnswer>
  /** The body of a notification: the news, signed at this moment for this merchant. */
  signNotification: (mchNo: string, news: Record<string, string | null>, at: Date) => Promise<string>
  /** The key that signs answers. */
  signingKey: () => KeyObject
  /** Posts to an address that a merchant chose, if it may be called. */
  post: SafePost['post']
  /** Why an address that a merchant gives would never be called; null when it may be. */
  urlRefusal: SafePost['refusal']
  /** Where an upstream tells us of money. */
  notifyUrl: (mchNo: string, channel: string) => string
  /** Where a bill can be fetched for the next half hour. */
  billUrl: (file: BillFile) => string
  billLinks: BillLinks
  /** Where the payer of an order is sent. */
  cashierUrl: (mchNo: string, transactionNo: string) => string
  /** Whether this is what the order's link ends with; compared in constant time. */
  isCashierProof: (order: { mchNo: string; transactionNo: string }, proof: string) => boolean
  /** Secrets at rest, sealed for the place (table and row) where they lie. */
  secrets: { seal: (place: string, secret: string) => Buffer; unseal: (place: string, sealed: Buffer) => string }
  log: Logger
  now: () => Date
  /** 0 ≤ x < 1, for spreading retries; never for anything secret. */
  random: () => number
  /** `digits` random decimal digits that cannot be guessed. */
  newDigits: (digits: number) => string
  newNonce: () => string
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}
