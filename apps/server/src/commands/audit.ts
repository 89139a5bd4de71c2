/**
 * `acopay-server audit`: finds every row of a timeline and of the audit log that was changed, removed or added, exports the heads of the
 * days, and removes what is older than the retention. May run while gateways run. docs/operating.md tells when.
 */
import { readFileSync } from 'node:fs'
import { dayBounds } from '@acopay/core'
import { parseJson } from '@acopay/protocol'
import { arrivedPayments, type DayHeads, type Db, type Pool, readDayHeads } from '@acopay/store'
import { forgetAudit } from '@acopay/store/console'
import { readArchived } from '../actions/audit/archived-days.ts'
import type { Finding } from '../actions/audit/findings.ts'
import { verifyAuditLog } from '../actions/audit/verify-audit-log.ts'
import { checkedHeads, differences, goneFrom, type KnownHeads, missingDays } from '../actions/audit/verify-heads.ts'
import { verifyTimelines } from '../actions/audit/verify-timelines.ts'
import { isAsStamped } from '../actions/payment/archived-payment.ts'
import { type ProvenKey, provenPlatformKeys } from '../security/platform-key.ts'
import { loadPurposeKeys } from '../security/purpose-keys.ts'
import { type Stamps, stampedSince, stampsOf } from '../security/stamps.ts'
import { loadMasterKeys } from '../security/vault.ts'
import { readConfig } from '../start/config.ts'
import { LONG_STATEMENT_MS, openDatabase, prepareSchema } from '../start/database.ts'
import { nowOf } from './now.ts'
import type { OperatorCommand, OperatorIo } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

const USAGE = [
  'verify [--heads FILE] [--merchant MCH_NO] [--day 2026-03-01]   校验 finds what was changed',
  'heads [--day 2026-03-01]                                       导出日摘要 exports the heads of days',
  'forget                                                         按 ACOPAY_AUDIT_DAYS 删除旧行 removes old rows',
].join('\n')

const DAY_MS = 86_400_000
const ORDERS_BETWEEN_LINES = 50_000

type Options = { heads: string | null; mchNo: string | null; day: string | null }

export const audit: OperatorCommand = {
  usage: USAGE,
  zh: '校验时间线与审计日志',
  en: 'verify timelines and the audit log',
  run: async (args, io) => ((await isAsWritten(args, io)) ? 0 : 1),
}

/** Says what it finds, line by line, and whether all is well. */
async function isAsWritten([what = '', ...args]: string[], { env, defaultHome, say }: OperatorIo): Promise<boolean> {
  if (!['verify', 'heads', 'forget'].includes(what)) throw new UsageError(USAGE)
  const options = optionsOf(args)
  const config = readConfig(env, defaultHome)
  const { pool, close } = await openDatabase(config, { statementTimeoutMs: LONG_STATEMENT_MS })
  try {
    await prepareSchema(config, pool)
    if (what === 'heads') return await exportHeads(pool, options, say)
    const master = loadMasterKeys(config)
    const stamps = stampsOf(await loadPurposeKeys(pool, master))
    if (what === 'forget') return await forget({ pool, stamps, auditDays: config.auditDays }, say)
    return await verify({ db: pool, stamps, keys: await provenPlatformKeys(pool, master), say }, options)
  } finally {
    await close()
  }
}

function optionsOf(args: string[]): Options {
  const options: Options = { heads: null, mchNo: null, day: null }
  for (let index = 0; index < args.length; index += 2) {
    const [name, value] = [args[index], args[index + 1]]
    if (value === undefined) throw new UsageError(USAGE)
    if (name === '--heads') options.heads = value
    else if (name === '--merchant') options.mchNo = value
    else if (name === '--day' && /^\d{4}-\d\d-\d\d$/.test(value)) options.day = value
    else throw new UsageError(USAGE)
  }
  return options
}

/** One JSON object on a line for each day. */
async function exportHeads(db: Db, { day }: Options, say: (line: string) => void): Promise<boolean> {
  for (const one of await readDayHeads(db, day)) say(JSON.stringify(one))
  return true
}

/** As a gateway does it whose database role may. */
async function forget(
  { pool, stamps, auditDays }: { pool: Pool; stamps: Stamps; auditDays: number },
  say: (line: string) => void,
): Promise<boolean> {
  if (auditDays === 0) throw new Error('请设置 ACOPAY_AUDIT_DAYS (set ACOPAY_AUDIT_DAYS)')
  const now = await nowOf(pool)
  const before = new Date(now.getTime() - auditDays * DAY_MS)
  let sum = 0
  for (;;) {
    const removed = await forgetAudit(pool, { before, now }, stamps.auditMark)
    if (removed === 0) break
    sum += removed
  }
  say(`已删除 ${sum} 行，早于 ${before.toISOString()} (audit rows removed, from before then)`)
  return true
}

type Tools = { db: Db; stamps: Stamps; keys: ProvenKey[]; say: (line: string) => void }

export async function verify({ db, stamps, keys, say }: Tools, options: Options): Promise<boolean> {
  const { mchNo, day } = options
  const known = await knownHeads(db, keys, options)
  const heads = known.heads.filter((one) => day === null || one.day === day)
  const bounds = day === null ? { from: null, until: null } : boundsOf(day)
  const since = await stampedSince(db, stamps, 'timeline')
  say(since === null ? NO_BEGINNING : `印记自 ${since.toISOString()} 起 (stamped since)`)
  let told = 0
  const timelines = await verifyTimelines(db, { entry: stamps.entry, since }, { mchNo, ...bounds }, (orders) => {
    if (orders - told < ORDERS_BETWEEN_LINES) return
    told = orders
    say(`${orders} 单 (orders) …`)
  })
  const wanted = new Set(heads.flatMap((one) => (one.audit === null ? [] : [BigInt(one.audit.seq)])))
  const auditSince = await stampedSince(db, stamps, 'audit')
  const log = mchNo === null ? await verifyAuditLog(db, { stamps, since: auditSince, wanted }) : null
  const archived = await readArchived(db, stamps)
  const findings: Finding[] = [
    ...known.findings,
    ...archived.findings,
    ...(await forgedPayments(db, stamps, mchNo)),
    ...timelines.findings,
    ...(log?.findings ?? []),
    ...heads.flatMap((one) => differences(one, timelines, { log, mchNo, archived })),
  ]
  for (const { zh, en } of findings) say(`✗ ${zh} (${en})`)
  const before = timelines.unstamped + (log?.unstamped ?? 0)
  say(
    `${timelines.orders} 单 orders, ${timelines.count} 条 timeline entries, ${log?.count ?? 0} 行 audit rows, ` +
      `${new Set(heads.map((one) => one.day)).size} 日 days; 无印记 ${before} 条 from before stamping`,
  )
  say(findings.length === 0 ? '✓ 全部相符 (all is as it was written)' : `✗ ${findings.length} 处不符 (places differ)`)
  return findings.length === 0
}

/** Of payments that arrived for archived orders, those that no gateway wrote as they are. */
const forgedPayments = async (db: Db, stamps: Stamps, mchNo: string | null): Promise<Finding[]> =>
  (await arrivedPayments(db, mchNo)).flatMap((one) =>
    isAsStamped(stamps, one)
      ? []
      : [
          {
            zh: `${one.mchNo} ${one.transactionNo} 归档后的付款 ${one.paymentNo} 印记不符`,
            en: 'a payment for an archived order was not written here by a gateway',
          },
        ],
  )

const NO_BEGINNING = '未记录印记自何时起，所有行都须有印记 (no beginning of stamps is known: every row must have one)'

const boundsOf = (day: string) => {
  const { fromMs, untilMs } = dayBounds(day)
  return { from: new Date(fromMs), until: new Date(untilMs) }
}

/** Heads of the database, and of the file where one is named. Only rows from days that are over can be held against them. */
async function knownHeads(
  db: Db,
  keys: ProvenKey[],
  options: Options,
): Promise<{ heads: KnownHeads[]; findings: Finding[] }> {
  const stored = checkedHeads(await readDayHeads(db), keys, '数据库 database')
  const findings = [...stored.findings, ...missingDays(stored.heads)]
  if (options.heads === null) return { heads: stored.heads, findings }
  const exported = checkedHeads(readHeadsFile(options.heads), keys, options.heads)
  findings.push(...exported.findings, ...goneFrom(stored.heads, exported.heads))
  return { heads: [...stored.heads, ...exported.heads], findings }
}

function readHeadsFile(file: string): DayHeads[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n')
    return lines.filter((line) => line.trim() !== '').map((line) => parseJson(line) as DayHeads)
  } catch {
    throw new Error(`读不到日摘要文件 (cannot read the file of heads): ${file}`)
  }
}
