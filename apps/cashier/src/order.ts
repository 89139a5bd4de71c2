/** The order as the server describes it. */

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
  /** The server's time of this answer. The device's clock may be wrong. */
  now: string
  /** What the band of a sandbox says where its clock was moved. */
  moved?: string
}

export type Channel = { channel: string; methods: string[] }

/** The order has ended and no payment is being returned. A closed order is not final: a late payment may still arrive. */
export const isFinal = ({ phase, extra }: Order): boolean =>
  (phase === 'paid' || phase === 'refunded' || phase === 'returned') && extra !== 'returning'
