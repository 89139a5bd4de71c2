/** Puts orders into the archive, and brings them back, as the commands do it with one part of a file. */
import {
  archivedNumbers,
  forgetArchived,
  inOneTransaction,
  keepBillLines,
  keepOfOrders,
  lockOrderRows,
  type OrderRows,
  orderColumns,
  putOrderRows,
  readOrderRows,
  removeOrderRows,
} from '@acopay/store'
import { putBackPayments } from '../../apps/server/src/actions/payment/archived-payment.ts'
import type { TestWorld } from './world.ts'

type Archived = { archiveNo: string; numbers: string[]; rows: OrderRows[] }

/** Takes these orders of the demo merchant out of the tables. */
export const putAway = (
  { world, demo: { mchNo } }: TestWorld,
  numbers: string[],
  archiveNo = '2026-01-0a0b0c0d',
): Promise<Archived> =>
  inOneTransaction(world.pool, 'write as read', async (client) => {
    await lockOrderRows(client, { mchNo, numbers })
    // What watches a closed attempt has ended long before a month is archived.
    await client.query(
      `delete from job where mch_no = $1 and (subject = any ($2)
         or subject in (select attempt_no from attempt where mch_no = $1 and transaction_no = any ($2)))`,
      [mchNo, numbers],
    )
    const rows = await readOrderRows(client, { mchNo, numbers }, await orderColumns(client))
    await client.query(
      `insert into archive values ($1, '/archives/' || $1, 'f', 1, '2026-01-31', 'REMOVED', $2, $2) on conflict do nothing`,
      [archiveNo, world.now()],
    )
    await keepOfOrders(client, { mchNo, archiveNo, part: 1 }, numbers)
    await keepBillLines(client, { mchNo, archiveNo, part: 1 }, numbers)
    await removeOrderRows(client, { mchNo, numbers })
    return { archiveNo, numbers, rows }
  })

/** `meanwhile`: what happens after the orders are locked and before they are back. */
export const bringBack = (
  { world, demo: { mchNo } }: TestWorld,
  { archiveNo, numbers, rows }: Archived,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> =>
  inOneTransaction(world.pool, 'write', async (client) => {
    await archivedNumbers(client, { mchNo, archiveNo }, numbers)
    await meanwhile()
    await putOrderRows(client, rows)
    await putBackPayments(client, world.stamps, { mchNo, numbers, now: world.now() })
    await forgetArchived(client, { mchNo, archiveNo, part: 1 }, numbers)
  })
