/** Reads a backup into a database, in one transaction: what is not exactly what was backed up is not committed. */
import { pipeline } from 'node:stream/promises'
import {
  addRestoration,
  copyIn,
  copyOut,
  dropTables,
  emptyTables,
  foreignTables,
  holdsRows,
  inOneTransaction,
  migrate,
  migrateTo,
  moneySums,
  newestMigration,
  type Pool,
  type TableColumns,
  tablesInOrder,
} from '@acopay/store'
import { loadPurposeKeys } from '../../security/purpose-keys.ts'
import { stampsOf } from '../../security/stamps.ts'
import { fingerprintOf, type MasterKeys } from '../../security/vault.ts'
import { VERSION } from '../../version.ts'
import { isMonthHeader } from '../months/month-file.ts'
import { DAMAGED, type End, FORMAT, type Header, type Piece, statementOf, type TableEnd } from './format.ts'
import { tally } from './tally.ts'

type Client = Parameters<Parameters<typeof inOneTransaction>[2]>[0]
export type Loaded = { header: Header; tables: TableEnd[]; end: End }

/** Throws an error of one line when this program, with these keys, cannot restore the archive. */
export function checkHeader(first: Piece | undefined, master: MasterKeys): Header {
  if (first?.kind !== 'header') throw new Error('这不是网关的备份 (this is no backup of a gateway)')
  const { header } = first
  if (isMonthHeader(header))
    throw new Error(
      '这是订单归档，不是备份，请用 archive restore (these are archived orders and no backup: archive restore)',
    )
  const newest = newestMigration()
  if (header.format !== FORMAT || header.migration.number > newest.number) {
    throw new Error(
      `备份来自更新的版本 ${header.version}，请使用那个版本 (the archive is from the newer version ${header.version}: use that one)`,
    )
  }
  const atHand = master.keys.map(fingerprintOf)
  if (!header.masterKeys.some((one) => atHand.includes(one))) {
    throw new Error(
      `需要指纹为 ${header.masterKeys.join(' / ')} 的主密钥，现有的是 ${atHand.join(' / ')} ` +
        '(the archive needs the master key with this fingerprint; the one at hand is another)',
    )
  }
  return header
}

/** Makes an empty schema of the archive's version. Refused where there are rows, unless they are to be replaced. */
export async function prepareSchema(pool: Pool, header: Header, isReplacing: boolean): Promise<void> {
  await inOneTransaction(pool, 'write', async (client) => {
    const foreign = await foreignTables(client)
    if (foreign.length > 0) {
      throw new Error(
        `数据库里有其他程序的表 (the database has tables of another program): ${foreign.slice(0, 5).join(', ')}`,
      )
    }
    if (!isReplacing && (await holdsRows(client))) {
      throw new Error(
        '数据库不是空的。请用一个空数据库，或以 --replace 删除其中的一切 (the database is not empty: take an empty one, or --replace removes all that is in it)',
      )
    }
    await dropTables(client)
  })
  await migrateTo(pool, header.migration.number, VERSION)
}

type Load = { pool: Pool; master: MasterKeys; header: Header; say: (line: string) => void }

/** Loads all rows, reads them again, and commits when both are what was backed up. Notes that the database was set back. */
export async function loadRows(load: Load, pieces: AsyncGenerator<Piece>, beganAt: Date | null): Promise<Loaded> {
  const { pool, header } = load
  const restoredTo = new Date(header.takenAt)
  // A sandbox's clock may be ahead of this machine's.
  const restoration = { beganAt: new Date(Math.max(beganAt?.getTime() ?? 0, restoredTo.getTime())), restoredTo }
  let isNoted = beganAt === null
  const loaded = await inOneTransaction(pool, 'write', async (client) => {
    const known = await tablesInOrder(client)
    await emptyTables(client, known)
    const found = await copyAllIn(client, pieces)
    for (const { table } of known) {
      if (!found.tables.some((one) => one.table === table)) throw new Error(`${DAMAGED}: ${table}`)
    }
    await checkRows(load, client, { ...found, known })
    if (!isNoted && known.some(({ table }) => table === 'restoration')) {
      await addRestoration(client, restoration)
      isNoted = true
    }
    return { header, ...found }
  })
  await migrate(pool, { program: VERSION })
  if (!isNoted) await addRestoration(pool, restoration)
  return loaded
}

/** Each table's rows go in while they are read and counted. */
async function copyAllIn(client: Client, pieces: AsyncGenerator<Piece>): Promise<{ tables: TableEnd[]; end: End }> {
  const tables: TableEnd[] = []
  let end: End | null = null
  for await (const piece of pieces) {
    if (piece.kind === 'begin') tables.push(await copyOneIn(client, piece.table, pieces))
    else if (piece.kind === 'end') end = piece.end
    else throw new Error(DAMAGED)
  }
  if (end === null) throw new Error(DAMAGED)
  return { tables, end }
}

async function copyOneIn(client: Client, into: TableColumns, pieces: AsyncGenerator<Piece>): Promise<TableEnd> {
  const counted = tally()
  let expected: TableEnd | null = null
  await pipeline(
    async function* () {
      // By hand: leaving a loop early would end the pieces.
      for (;;) {
        const next = await pieces.next()
        if (next.done === true) throw new Error(DAMAGED)
        if (next.value.kind === 'table') {
          expected = next.value.table
          return
        }
        if (next.value.kind !== 'rows') throw new Error(DAMAGED)
        counted.add(next.value.bytes)
        yield next.value.bytes
      }
    },
    copyIn(client, into),
  )
  const found = counted.end(into.table)
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${DAMAGED}: ${into.table}`)
  return found
}

/** What lies in the tables now is what was backed up, and a gateway with this master key has backed it up. */
async function checkRows(
  { master, header, say }: Load,
  client: Client,
  { tables, end, known }: { tables: TableEnd[]; end: End; known: TableColumns[] },
): Promise<void> {
  for (const table of known) {
    const counted = tally()
    for await (const chunk of copyOut(client, table)) counted.add(chunk as Buffer)
    const [expected, found] = [tables.find((one) => one.table === table.table), counted.end(table.table)]
    if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${DAMAGED}: ${table.table}`)
  }
  const sums = await moneySums(client)
  if (JSON.stringify(sums) !== JSON.stringify(end.sums)) throw new Error(`${DAMAGED}: sums`)
  const stamps = stampsOf(await loadPurposeKeys(client, master))
  if (stamps.statement(statementOf(header, tables, sums)).toString('hex') !== end.mac) {
    throw new Error('备份被改过，或不是这个网关写的 (the archive was changed, or another gateway wrote it)')
  }
  say(`${end.rows} 行 rows, ${tables.length} 张表 tables: 与备份一致 (as they were backed up)`)
}
