/** Takes a backup: every table, as of one moment. Gateways go on meanwhile. */
import {
  copyOut,
  copyStatement,
  type Db,
  inOneTransaction,
  lastMigration,
  moneySums,
  newestMigration,
  type Pool,
  tablesInOrder,
} from '@acopay/store'
import { platformKeysElsewhere } from '../../security/platform-key.ts'
import { loadPurposeKeys } from '../../security/purpose-keys.ts'
import { stampsOf } from '../../security/stamps.ts'
import { fingerprintOf, type MasterKeys } from '../../security/vault.ts'
import { VERSION } from '../../version.ts'
import { type End, endText, FORMAT, type Header, headerText, statementOf, type TableEnd, tableText } from './format.ts'
import { tally } from './tally.ts'

const ROWS_BETWEEN_LINES = 1_000_000

/** `now`: by the gateways' clock. */
type Source = { pool: Pool; master: MasterKeys; now: Date; say: (line: string) => void }
export type Taken = { header: Header; tables: TableEnd[]; end: End }

/** Hands the archive's text to `write`. */
export async function takeBackup(
  source: Source,
  write: (text: AsyncIterable<Buffer>) => Promise<void>,
): Promise<Taken> {
  const { pool, master } = source
  const stamps = stampsOf(await loadPurposeKeys(pool, master))
  return inOneTransaction(pool, 'read', async (client) => {
    const migration = await migrationOf(client)
    const header: Header = {
      ...{ format: FORMAT, version: VERSION, takenAt: source.now.toISOString() },
      migration: { number: migration.number, name: migration.name },
      masterKeys: master.keys.map(fingerprintOf),
      platformKeysElsewhere: await platformKeysElsewhere(client, master),
    }
    const tables: TableEnd[] = []
    let end: End | null = null
    await write(
      (async function* () {
        yield Buffer.from(headerText(header))
        for (const table of await tablesInOrder(client)) {
          yield Buffer.from(`${copyStatement(table)}\n`)
          const counted = tally()
          for await (const chunk of progress(copyOut(client, table), table.table, source.say)) {
            counted.add(chunk)
            yield chunk
          }
          const done = counted.end(table.table)
          tables.push(done)
          yield Buffer.from(tableText(done))
        }
        const sums = await moneySums(client)
        const mac = stamps.statement(statementOf(header, tables, sums)).toString('hex')
        end = { rows: tables.reduce((sum, { rows }) => sum + rows, 0), sums, mac }
        yield Buffer.from(endText(end))
      })(),
    )
    if (end === null) throw new Error('the archive was not written to its end')
    return { header, tables, end }
  })
}

/** Throws an error of one line when the database is not at this version. */
export async function migrationOf(db: Db): Promise<{ number: number; name: string }> {
  const last = await lastMigration(db)
  if (last !== null && last.number === newestMigration().number) return last
  throw new Error('数据库不是本版本，请先 migrate (the database is not at this version: run migrate first)')
}

/** Says where it is in a large table. */
async function* progress(rows: AsyncIterable<Buffer>, table: string, say: (line: string) => void) {
  let [count, toldAt] = [0, 0]
  for await (const chunk of rows) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count += 1
    if (count - toldAt >= ROWS_BETWEEN_LINES) {
      toldAt = count
      say(`${table}: ${count} 行 rows …`)
    }
    yield chunk
  }
}
