/** The trades of one platform account, as the simulator's books hold them. */
import type { StandInWorld } from './stand-in-world.ts'
import type { NewTrade, Trade } from './trade.ts'

export type TradeBooks = {
  nowMs: () => number
  /** Null for a trade that was never created, or whose create has not taken effect yet. */
  find: (no: string) => Promise<Trade | null>
  /** All trades, also those whose create has not taken effect yet. */
  list: () => Promise<Trade[]>
  isLanded: (trade: Trade) => boolean
  /** False when the number was used before: the first trade stays as it is. */
  create: (trade: NewTrade) => Promise<boolean>
  /** Lets `edit` change a trade in place, atomically; it is given what `find` would return. */
  change: <Result>(no: string, edit: (trade: Trade | null) => Result) => Promise<Result>
  /** The trade to which a number of the platform's own payment, or of a refund, belongs; null for unknown numbers. */
  tradeNoOf: (kind: 'payment' | 'refund', number: string) => Promise<string | null>
  /**
   * Writes what `tradeNoOf` reads. Call it before the payment or refund is written: a number that leads to a trade
   * without that payment or refund does no harm.
   */
  register: (kind: 'payment' | 'refund', number: string, no: string) => Promise<void>
}

export function tradeBooks(prefix: string, { books, now }: Pick<StandInWorld, 'books' | 'now'>): TradeBooks {
  const keyOf = (no: string): string => `${prefix}/trade/${no}`
  const nowMs = (): number => now().getTime()
  const isLanded = (trade: Trade): boolean => trade.landsMs <= nowMs()
  const landed = (found: object | null): Trade | null => {
    const trade = found as Trade | null
    return trade !== null && isLanded(trade) ? trade : null
  }
  return {
    nowMs,
    isLanded,
    find: async (no) => landed(await books.read(keyOf(no))),
    list: async () => (await books.list(`${prefix}/trade/`)) as Trade[],
    create: (trade) =>
      books.change(keyOf(trade.no), (before) => {
        if (before !== null) return { after: null, result: false }
        const fresh: Trade = { ...trade, state: 'open', shownOpenUntilMs: 0, payment: null, refunds: [], notices: [] }
        return { after: fresh, result: true }
      }),
    change: (no, edit) =>
      books.change(keyOf(no), (before) => {
        const trade = landed(before)
        const result = edit(trade)
        return { after: trade, result }
      }),
    tradeNoOf: async (kind, number) =>
      ((await books.read(`${prefix}/${kind}/${number}`)) as { no: string } | null)?.no ?? null,
    register: (kind, number, no) =>
      books.change(`${prefix}/${kind}/${number}`, () => ({ after: { no }, result: undefined })),
  }
}
