/** The trades of one platform account, as the simulator's books hold them. */
import type { BesideDocument, StandInWorld } from './stand-in-world.ts'
import { type NewTrade, nextNoticeMsOf, type Trade } from './trade.ts'

export type TradeBooks = {
  nowMs: () => number
  /** Null for a trade that was never created, or whose create has not taken effect yet. */
  find: (no: string) => Promise<Trade | null>
  /** All trades, also those whose create has not taken effect yet. */
  list: () => Promise<Trade[]>
  /**
   * The numbers of the trades that have a notification to send by now, in order. It reads the index that `change` keeps,
   * so that its cost does not grow with the number of trades.
   */
  listDue: () => Promise<string[]>
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

/** The index document of a trade whose next notification is sent at `nextMs`. */
type DueEntry = { no: string; nextMs: number }

const dueEntry = (key: string, no: string, nextMs: number | null): BesideDocument => ({
  key,
  document: nextMs === null ? null : ({ no, nextMs } satisfies DueEntry),
})

export function tradeBooks(prefix: string, { books, now }: Pick<StandInWorld, 'books' | 'now'>): TradeBooks {
  const keyOf = (no: string): string => `${prefix}/trade/${no}`
  const dueKeyOf = (no: string): string => `${prefix}/due/${no}`
  const nowMs = (): number => now().getTime()
  const isLanded = (trade: Trade): boolean => trade.landsMs <= nowMs()
  const landed = (found: object | null): Trade | null => {
    const trade = found as Trade | null
    return trade !== null && isLanded(trade) ? trade : null
  }
  let isIndexed = false
  /** Books that an earlier version wrote have no index: the first call writes it. */
  async function indexOlderTrades(): Promise<void> {
    const trades = (await books.list(keyOf(''))) as Trade[]
    for (const { no } of trades.filter((trade) => nextNoticeMsOf(trade) !== null)) {
      await books.change(keyOf(no), (before) => {
        const nextMs = before === null ? null : nextNoticeMsOf(before as Trade)
        return { after: null, result: undefined, beside: dueEntry(dueKeyOf(no), no, nextMs) }
      })
    }
  }
  return {
    nowMs,
    isLanded,
    find: async (no) => landed(await books.read(keyOf(no))),
    list: async () => (await books.list(`${prefix}/trade/`)) as Trade[],
    async listDue() {
      if (!isIndexed) await indexOlderTrades()
      isIndexed = true
      const waiting = (await books.list(dueKeyOf(''))) as DueEntry[]
      return waiting.filter(({ nextMs }) => nextMs <= nowMs()).map(({ no }) => no)
    },
    create: (trade) =>
      books.change(keyOf(trade.no), (before) => {
        if (before !== null) return { after: null, result: false }
        const fresh: Trade = { ...trade, state: 'open', shownOpenUntilMs: 0, payment: null, refunds: [], notices: [] }
        return { after: fresh, result: true }
      }),
    change: (no, edit) =>
      books.change(keyOf(no), (before) => {
        const trade = landed(before)
        const wasNextMs = trade === null ? null : nextNoticeMsOf(trade)
        const result = edit(trade)
        const nextMs = trade === null ? null : nextNoticeMsOf(trade)
        return { after: trade, result, beside: wasNextMs === nextMs ? undefined : dueEntry(dueKeyOf(no), no, nextMs) }
      }),
    tradeNoOf: async (kind, number) =>
      ((await books.read(`${prefix}/${kind}/${number}`)) as { no: string } | null)?.no ?? null,
    register: (kind, number, no) =>
      books.change(`${prefix}/${kind}/${number}`, () => ({ after: { no }, result: undefined })),
  }
}
