/** The order as the server tells it. */

export type Phase = 'open' | 'closing' | 'closed' | 'expired' | 'paid' | 'refunded' | 'returning' | 'returned'

export type Order = {
  transaction_no: string
  merchant: string
  description: string
  /** Yuan with two decimals. */
  amount: string
  phase: Phase
  extra: 'returning' | 'returned' | null
  expires_at: string
  paid_at: string | null
  /** The server's clock when it said so: the telephone's own is not believed. */
  now: string
}

export type Channel = { channel: string; methods: string[] }

/** The order has ended, and no money is known to be on its way; after a close some may still come at any time. */
export const isFinal = ({ phase, extra }: Order): boolean =>
  (phase === 'paid' || phase === 'refunded' || phase === 'returned') && extra !== 'returning'
