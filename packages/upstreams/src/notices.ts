/** How a platform sends its notifications. */
import type { StandInWorld } from './stand-in-world.ts'
import { NEVER_MS, type Notice, type Trade } from './trade.ts'
import type { TradeBooks } from './trade-books.ts'

/** One platform's notifications: what it sends, which answer it takes for an acknowledgement, and its pauses. */
export type Telling = {
  render: (trade: Trade, notice: Notice) => { headers: Record<string, string>; body: string }
  isHeard: (reply: { status: number; body: string }, notice: Notice) => boolean
  /** Between one sending and the next. After the last pause the platform gives up. */
  pausesMs: readonly number[]
}

export type Notices = {
  /** Sends the notifications of one trade that are due, all at once. Returns their number. */
  deliver: (no: string) => Promise<number>
  /** The same for all trades, one trade after the other. */
  deliverDue: () => Promise<number>
}

export function noticesOf(books: TradeBooks, world: Pick<StandInWorld, 'deliver'>, telling: Telling): Notices {
  const isDue = ({ isHeard, nextMs }: Notice): boolean => !isHeard && nextMs <= books.nowMs()

  /** Counts the sending before it happens, so that a notification without an answer is sent again later. */
  const takeDue = (no: string) =>
    books.change(no, (trade) => {
      const notices = trade?.notices.filter(isDue) ?? []
      for (const notice of notices) {
        notice.sent += 1
        notice.nextMs = books.nowMs() + (telling.pausesMs[notice.sent - 1] ?? NEVER_MS)
      }
      return trade === null || notices.length === 0 ? null : { trade: structuredClone(trade), notices }
    })

  async function sendOne(trade: Trade, notice: Notice): Promise<void> {
    const { headers, body } = telling.render(trade, notice)
    const reply = await world.deliver(notice.refund?.url ?? trade.notifyUrl, headers, body).catch(() => null)
    if (reply === null || !telling.isHeard(reply, notice)) return
    await books.change(trade.no, (found) => {
      const own = found?.notices.find(({ id }) => id === notice.id)
      if (own !== undefined) own.isHeard = true
    })
  }

  async function deliver(no: string): Promise<number> {
    const due = await takeDue(no)
    if (due === null) return 0
    await Promise.all(due.notices.map((notice) => sendOne(due.trade, notice)))
    return due.notices.length
  }

  return {
    deliver,
    async deliverDue() {
      let count = 0
      for (const no of await books.listDue()) count += await deliver(no)
      return count
    },
  }
}
