/** The trades of one platform account: stored, changed from outside by `control`, and told of in notifications. */
import { type Control, controlOf } from './control.ts'
import { noticesOf, type Telling } from './notices.ts'
import type { StandInWorld } from './stand-in-world.ts'
import { type TradeBooks, tradeBooks } from './trade-books.ts'

export type Trades = TradeBooks & { control: Control }

export function tradesOf(prefix: string, world: StandInWorld, telling: Telling): Trades {
  const books = tradeBooks(prefix, world)
  const notices = noticesOf(books, world, telling)
  return { ...books, control: controlOf(books, notices, world.faults) }
}
