/**
 * The sandbox channel: an upstream without money, for a developer's laptop. Its books are handed in, so that they
 * survive the process and several servers see the same ones.
 */
import { type Channel, orUnknown, type UpstreamPayment, unknown } from '../contract.ts'

export type SandboxTrade = {
  account: string
  attemptNo: string
  amountFen: bigint
  state: 'open' | 'closed' | 'paid'
  expireAt: Date
  payment: UpstreamPayment | null
}

/** Where the sandbox upstream keeps what it knows. Each call is atomic. */
export interface SandboxBooks {
  /** Adds a trade; one of the same number is left as it is. */
  create(trade: Omit<SandboxTrade, 'state' | 'payment'>): Promise<void>
  find(account: string, attemptNo: string): Promise<SandboxTrade | null>
  /** Closes the trade if it is open; returns it as it then stands, null when there is none. */
  close(account: string, attemptNo: string): Promise<SandboxTrade | null>
  /** Takes the payer's money if the trade is open and not past its expiry; returns it as it then stands. */
  pay(
    account: string,
    attemptNo: string,
    payment: Pick<UpstreamPayment, 'paymentNo' | 'paidAt' | 'payer'>,
  ): Promise<SandboxTrade | null>
  /** Sends money back; the same refund number again changes nothing. */
  refund(account: string, attemptNo: string, refund: { refundNo: string; amountFen: bigint }): Promise<boolean>
}

export function makeSandbox(account: string, books: SandboxBooks, now: () => Date): Channel {
  return {
    methods: ['native'],
    createLandsMs: 0,
    watchMs: 0,

    open: ({ attemptNo, amountFen, expireAt }, signal) =>
      orUnknown(signal, async () => {
        await books.create({ account, attemptNo, amountFen, expireAt })
        return { kind: 'opened', payUrl: `sandbox://pay/${encodeURIComponent(attemptNo)}` }
      }),

    query: ({ attemptNo }, signal) =>
      orUnknown(signal, async () => {
        const trade = await books.find(account, attemptNo)
        if (trade === null) return { kind: 'absent' }
        if (trade.payment !== null) return { kind: 'paid', payment: trade.payment }
        return { kind: trade.state === 'open' && trade.expireAt > now() ? 'open' : 'closed' }
      }),

    close: ({ attemptNo }, signal) =>
      orUnknown(signal, async () => {
        const trade = await books.close(account, attemptNo)
        if (trade === null) return { kind: 'absent' }
        return { kind: trade.state === 'paid' ? 'paid' : 'accepted' }
      }),

    queryRefund: async () => unknown('the sandbox refunds at once'),
    readNotification: async () => ({ kind: 'forged', why: 'the sandbox tells nobody' }),
    replyToNotification: (isHeard) => ({ status: isHeard ? 204 : 500, contentType: 'text/plain', body: '' }),
    fetchBill: async () => ({ kind: 'none' }),

    refund: ({ attemptNo, refundNo, amountFen }, signal) =>
      orUnknown(signal, async () => {
        const isDone = await books.refund(account, attemptNo, { refundNo, amountFen })
        return isDone ? { kind: 'done' } : { kind: 'refused', why: 'the trade holds no such money' }
      }),
  }
}
