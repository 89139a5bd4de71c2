import { createHmac } from 'node:crypto'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW } from '../../../../test/support/orders.ts'
import { openPool, type Pool } from '../db.ts'
import { isStamped } from '../orders/stamping.ts'
import { type AuditStamp, beginAudit, chainedText, endAudit, listAudit } from './audit.ts'
import {
  forgetAudit,
  lastAuditBefore,
  readAuditChain,
  readAuditHead,
  readAuditMarks,
  type StampedRow,
  unchainedAudit,
} from './audit-chain.ts'

const stamp: AuditStamp = (previous, row) =>
  createHmac('sha256', 'key').update(previous).update(chainedText(row)).digest()
const stampMark = ({ untilSeq }: { untilSeq: bigint }): Buffer => Buffer.from(`mark ${untilSeq}`)

let database: TestDatabase | undefined
afterAll(() => database?.drop())
beforeEach(async () => {
  await database?.drop()
  database = await testDatabase()
})
const pool = (): Pool => (database as TestDatabase).pool

const number = (count: number): string => `AL${String(count).padStart(36, '0')}`
const entry = (count: number) => ({
  auditNo: number(count),
  username: 'wang',
  address: '127.0.0.1',
  action: 'orders.close',
  mchNo: null,
  subject: null,
  detail: { count },
  outcome: 'BEGUN',
})
const begin = (count: number, to = pool()) => beginAudit(to, entry(count), after(count), stamp)
const end = (count: number, to = pool()) =>
  endAudit(
    to,
    { auditNo: number(count), outcome: 'DONE', changes: '{"name":{"before":1,"after":2}}' },
    after(count),
    stamp,
  )
const unchained = (count: number) =>
  pool().query(
    `insert into console_audit (audit_no, at, username, address, action, outcome, detail)
     values ($1, $2, 'mallory', '127.0.0.1', 'orders.close', 'DONE', '{}')`,
    [number(count), after(count)],
  )
const all = { mchNo: null, username: null, action: null, from: null, until: null, before: null }
const chain = () => readAuditChain(pool(), 0n, 1000)

/** The numbers from 1 on, and each keyed hash over the row before it. */
function expectChained(
  rows: StampedRow[],
  from: { seq: bigint; mac: Buffer } = { seq: 0n, mac: Buffer.alloc(0) },
): void {
  let { seq, mac } = from
  for (const { mac: found, ...row } of rows) {
    seq += 1n
    expect(row.seq).toBe(seq)
    mac = stamp(mac, row)
    expect(found).toEqual(mac)
  }
}

it('an entry and its outcome are two rows that nobody changes, shown as one', async () => {
  await begin(1)
  expect(await listAudit(pool(), all, 9)).toMatchObject([{ auditNo: number(1), outcome: 'BEGUN', changes: '{}' }])
  await end(1)
  expect(await listAudit(pool(), all, 9)).toMatchObject([
    {
      auditNo: number(1),
      at: after(1),
      outcome: 'DONE',
      changes: '{"name":{"before":1,"after":2}}',
      detail: '{"count":1}',
    },
  ])
  const { rows } = await pool().query('select outcome from console_audit')
  expect(rows).toEqual([{ outcome: 'BEGUN' }])
  const found = await chain()
  expect(found.map(({ kind, seq }) => `${kind} ${seq}`)).toEqual(['entry 1', 'outcome 2'])
  expectChained(found)
})

it('two processes that write at once write one chain, without a gap', async () => {
  const others = [1, 2].map(() => openPool({ connectionString: (database as TestDatabase).connectionString, max: 6 }))
  await Promise.all(
    [0, 1, 2, 3].map(async (writer) => {
      const to = others[writer % 2] as Pool
      for (let count = 1; count <= 15; count += 1) {
        await begin(15 * writer + count, to)
        await end(15 * writer + count, to)
      }
    }),
  )
  for (const other of others) await other.end()
  const found = await chain()
  expect(found).toHaveLength(120)
  expectChained(found)
  expect(await readAuditHead(pool())).toEqual({ seq: 120n, mac: found.at(-1)?.mac })
})

it('a row whose write fails leaves the chain as it was', async () => {
  await begin(1)
  await expect(begin(1)).rejects.toMatchObject({ code: '23505' })
  await begin(2)
  expectChained(await chain())
})

it('the retention removes the oldest rows, leaves a mark from which the others go on, and never takes the newest', async () => {
  for (const count of [1, 2, 3]) {
    await begin(count)
    await end(count)
  }
  const forget = (ms: number) => forgetAudit(pool(), { before: after(ms), now: NOW }, stampMark)
  expect(await forget(1)).toBe(0)
  expect(await readAuditMarks(pool())).toEqual([])
  const before = await chain()
  expect(await forget(3)).toBe(4)
  const [mark, ...more] = await readAuditMarks(pool())
  expect(more).toEqual([])
  expect(mark).toEqual({ untilSeq: 4n, lastMac: before[3]?.mac, removedAt: NOW, mac: Buffer.from('mark 4') })
  const left = await chain()
  expect(left).toEqual(before.slice(4))
  expectChained(left, { seq: 4n, mac: mark?.lastMac as Buffer })
  expect(await forget(1000)).toBe(1)
  expect(await forget(1000)).toBe(0)
  await begin(4)
  expect((await chain()).map(({ seq }) => seq)).toEqual([6n, 7n])
})

it('the retention also removes entries of an older version, which have no number', async () => {
  await begin(1)
  await pool().query(
    `insert into console_audit select 'AL' || lpad('9', 36, '0'), $1, 'a', 'b', 'c', null, null, 'DONE', '{}', null, null`,
    [after(0)],
  )
  expect(await forgetAudit(pool(), { before: after(1), now: NOW }, stampMark)).toBe(1)
  expect(await listAudit(pool(), all, 9)).toHaveLength(1)
})

it('the retention removes five thousand of these at a time, the oldest first', async () => {
  await pool().query(
    `insert into console_audit select 'AL' || lpad(n::text, 36, '0'), $1::timestamptz + n * interval '1 ms', 'a', 'b', 'c', null, null,
            'DONE', '{}', null, null from generate_series(1, 5002) n`,
    [NOW],
  )
  const forget = () => forgetAudit(pool(), { before: after(5002), now: NOW }, stampMark)
  expect(await forget()).toBe(5000)
  expect((await listAudit(pool(), all, 9)).map(({ auditNo }) => auditNo)).toEqual([number(5002), number(5001)])
  expect(await forget()).toBe(1)
})

it('the text under a keyed hash has every member of its row, so that none can be changed behind it', () => {
  const { detail, ...more } = entry(7)
  const row = { seq: 9n, at: after(7), ...more, mchNo: 'MCH1', subject: 'AP1', detail: JSON.stringify(detail) }
  expect(chainedText({ kind: 'entry', ...row })).toBe(
    `["entry","9","${after(7).toISOString()}","${number(7)}","BEGUN","wang","127.0.0.1","orders.close","MCH1","AP1","{\\"count\\":7}"]`,
  )
  const ended = { seq: 10n, at: after(8), auditNo: number(7), outcome: 'DONE', changes: '{"a":1}' }
  expect(chainedText({ kind: 'outcome', ...ended })).toBe(
    `["outcome","10","${after(8).toISOString()}","${number(7)}","DONE","{\\"a\\":1}"]`,
  )
})

it('entries without a number are counted until the chain began, and named from then on', async () => {
  await begin(1)
  for (const count of [20, 21, 22, 23]) await unchained(count)
  expect(await unchainedAudit(pool(), after(22))).toEqual({ before: 2, after: [number(22), number(23)] })
  expect(await unchainedAudit(pool(), null)).toEqual({ before: 0, after: [20, 21, 22, 23].map(number) })
})

it('the chain is read in the order of its numbers, a page at a time, wherever its rows lie', async () => {
  for (const count of [1, 2, 3]) await begin(count)
  for (const count of [1, 2, 3]) await end(count)
  // A row that was written again lies at the end of the table.
  for (const table of ['console_audit', 'console_audit_outcome']) {
    await pool().query(`update ${table} set seq = seq where seq = (select min(seq) from ${table})`)
  }
  const pages = [
    await readAuditChain(pool(), 0n, 2),
    await readAuditChain(pool(), 2n, 2),
    await readAuditChain(pool(), 4n, 2),
  ]
  expect(pages.map((page) => page.map(({ seq }) => seq))).toEqual([
    [1n, 2n],
    [3n, 4n],
    [5n, 6n],
  ])
})

it('whether the log has begun to be stamped is told from a log that is empty', async () => {
  expect(await isStamped(pool(), 'audit')).toBe('empty')
  await unchained(1)
  expect(await isStamped(pool(), 'audit')).toBe('unstamped')
  await begin(2)
  expect(await isStamped(pool(), 'audit')).toBe('stamped')
})

it('the last row before a moment is that with the highest number, whether it began or ended something', async () => {
  const last = async (ms: number) => (await lastAuditBefore(pool(), after(ms)))?.seq ?? null
  expect(await last(10)).toBeNull()
  await begin(1)
  await begin(2)
  await end(1)
  await begin(3)
  // The end of the first is written when the first is: at its own moment.
  expect([await last(1), await last(2), await last(3), await last(4)]).toEqual([null, 3n, 3n, 4n])
})
