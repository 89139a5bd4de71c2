/**
 * The shop's tables, in one SQLite file, and the memory of which notifications were handled. With PostgreSQL `change` takes a
 * connection from a pool, and nothing waits for its turn: see `postgresStore` in the readme of @acopay/sdk.
 */
import { DatabaseSync } from 'node:sqlite'
import type { NotificationStore } from '@acopay/sdk'

const TABLES = `
  create table if not exists orders (
    number text primary key,
    amount text not null,
    state text not null default 'open' check (state in ('open', 'closed', 'paid', 'returned')),
    closes_at text not null
  ) strict;
  create index if not exists orders_open on orders (closes_at) where state = 'open';
  create table if not exists parcels (id integer primary key, order_number text not null references orders) strict;
  create table if not exists refunds (
    number text primary key, order_number text not null, amount text not null, state text not null
  ) strict;
  create table if not exists acopay_event (event_id text primary key, heard_at text not null default current_timestamp) strict;
`

export type Database = {
  /** Runs `work` in a transaction of its own: all of it is kept, or nothing. */
  change<Result>(work: (db: DatabaseSync) => Result | Promise<Result>): Promise<Result>
  /** Handles each notification once, in one transaction with what the shop changes. */
  events: NotificationStore<DatabaseSync>
}

export function openDatabase(file: string): Database {
  const db = new DatabaseSync(file)
  db.exec('pragma journal_mode = wal; pragma busy_timeout = 5000; pragma foreign_keys = on')
  db.exec(TABLES)
  let last: Promise<unknown> = Promise.resolve()

  async function transaction<Result>(work: (db: DatabaseSync) => Result | Promise<Result>): Promise<Result> {
    db.exec('begin immediate')
    try {
      const result = await work(db)
      db.exec('commit')
      return result
    } catch (error) {
      if (db.isTransaction) db.exec('rollback')
      throw error
    }
  }

  // One connection has one transaction, so each waits for the one before it. Keep calls to other servers out of `work`.
  const change: Database['change'] = (work) => {
    const turn = last.then(() => transaction(work))
    last = turn.catch(() => undefined)
    return turn
  }

  const once: NotificationStore<DatabaseSync>['once'] = (eventId, work) =>
    change(async (db) => {
      const insert = db.prepare('insert into acopay_event (event_id) values (?) on conflict do nothing')
      const isNew = insert.run(eventId).changes === 1
      if (isNew) await work(db)
      return isNew
    })

  return { change, events: { once } }
}
