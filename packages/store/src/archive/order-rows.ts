/** The rows of some orders of one merchant, from every table that has rows of an order, as lines of PostgreSQL's COPY: read, put back, removed. */
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from, to } from 'pg-copy-streams'

/** Every table with rows of an order; a table after those that it refers to. */
export const ORDER_TABLES = [
  'orders',
  'attempt',
  'payment',
  'reversal',
  'refund',
  'timeline',
  'notification',
  'notification_try',
  'order_note',
  'order_tag',
] as const

export type OrderTable = (typeof ORDER_TABLES)[number]

/** Each line is a row, its bytes as latin1, and begins with the merchant's number and the order's. Sorted. */
export type OrderRows = { table: string; columns: string[]; lines: string[] }

/** The columns of each table, those of the key first; without those that PostgreSQL computes. */
export async function orderColumns(client: pg.PoolClient): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `select c.relname as table, array_agg(a.attname::text order by a.attname <> 'mch_no', a.attname <> 'transaction_no', a.attnum) as columns
       from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = current_schema()::regnamespace and c.relname = any ($1) and a.attnum > 0 and not a.attisdropped
        and a.attgenerated = '' group by 1`,
    [ORDER_TABLES],
  )
  return new Map(rows.map(({ table, columns }) => [table, columns]))
}

const escaped = (name: string): string => pg.escapeIdentifier(name)

const NUMBER = /^AP[0-9]{36}$/
const listed = (columns: string[]): string => columns.map(escaped).join(', ')

/** The orders of the merchant with these numbers, and what belongs to them in the tables that `columns` names. COPY takes no values, so they stand in its text. */
export async function readOrderRows(
  client: pg.PoolClient,
  { mchNo, numbers }: { mchNo: string; numbers: string[] },
  columns: Map<string, string[]>,
): Promise<OrderRows[]> {
  if (!/^[0-9A-Za-z_-]{1,32}$/.test(mchNo) || !numbers.every((number) => NUMBER.test(number)))
    throw new Error('not the numbers of orders')
  const rows: OrderRows[] = []
  for (const table of ORDER_TABLES) {
    const names = columns.get(table)
    if (names === undefined) continue
    const which = `mch_no = '${mchNo}' and transaction_no in (${numbers.map((number) => `'${number}'`).join(', ')})`
    const chunks: Buffer[] = []
    // A lost connection says so instead of giving a stream.
    const stream = await client.query(
      to(`copy (select ${listed(names)} from ${escaped(table)} where ${which}) to stdout`),
    )
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    const lines = Buffer.concat(chunks).toString('latin1').split('\n').slice(0, -1)
    rows.push({ table, columns: names, lines: lines.sort() })
  }
  return rows
}

export const putOrderRows = async (client: pg.PoolClient, rows: OrderRows[]): Promise<void> => {
  for (const { table, columns, lines } of rows) {
    if (lines.length === 0) continue
    const text = Buffer.from(`${lines.join('\n')}\n`, 'latin1')
    await pipeline([text], await client.query(from(`copy ${escaped(table)} (${listed(columns)}) from stdin`)))
  }
}

export const removeOrderRows = async (
  client: pg.PoolClient,
  { mchNo, numbers }: { mchNo: string; numbers: string[] },
): Promise<void> => {
  for (const table of [...ORDER_TABLES].reverse()) {
    const text = `delete from ${escaped(table)} where mch_no = $1 and transaction_no = any ($2)`
    await client.query(text, [mchNo, numbers])
  }
}

/** Locks those of these orders that there are, so that nothing changes them or adds to them, and returns their numbers. */
export async function lockOrderRows(
  client: pg.PoolClient,
  { mchNo, numbers }: { mchNo: string; numbers: string[] },
): Promise<string[]> {
  const { rows } = await client.query<{ number: string }>(
    `select transaction_no as number from orders where mch_no = $1 and transaction_no = any ($2)
      order by transaction_no for update`,
    [mchNo, numbers],
  )
  return rows.map(({ number }) => number)
}
