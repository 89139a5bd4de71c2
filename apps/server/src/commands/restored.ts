/**
 * `acopay-server restored`: tells the gateway that another program has set its database back to an earlier moment (pg_restore, a
 * point-in-time recovery), and lists such times. A log of the lost time, kept elsewhere, says which closes had been answered.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import {
  addAnsweredCloses,
  addRestoration,
  listRestorations,
  type OrderKeys,
  type Pool,
  undoneRestorations,
} from '@acopay/store'
import { readConfig } from '../start/config.ts'
import { LONG_STATEMENT_MS, openDatabase, prepareSchema } from '../start/database.ts'
import { nowOf } from './now.ts'
import type { OperatorCommand } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

export const restored: OperatorCommand = {
  usage: '[--to 2026-03-01T12:00:00+08:00] [--log FILE …]',
  zh: '数据库被其他程序恢复到了此刻；列出历次恢复',
  en: 'the database was set back to this moment by another program; lists such times',
  async run(args, { env, defaultHome, say }) {
    const { to, logs } = read(args)
    const config = readConfig(env, defaultHome)
    const { pool, close } = await openDatabase(config, { statementTimeoutMs: LONG_STATEMENT_MS })
    try {
      await prepareSchema(config, pool, say)
      if (to !== null) await add(pool, to)
      if (logs.length > 0) await readLogs(pool, logs, say)
      for (const { restoredTo, beganAt, doneAt, report } of await listRestorations(pool)) {
        const done =
          doneAt === null ? '网关启动时处理 (to be settled at the next start)' : `${doneAt.toISOString()} ${report}`
        say(`${restoredTo.toISOString()} ← ${beganAt.toISOString()}: ${done}`)
      }
      return 0
    } finally {
      await close()
    }
  },
}

async function add(pool: Pool, restoredTo: Date): Promise<void> {
  const beganAt = await nowOf(pool)
  if (restoredTo > beganAt) throw new Error('--to 在将来 (lies in the future)')
  await addRestoration(pool, { beganAt, restoredTo })
}

const KEYS_AT_ONCE = 500

async function readLogs(pool: Pool, files: string[], say: (line: string) => void): Promise<void> {
  if ((await undoneRestorations(pool)).length === 0) {
    throw new Error('没有待处理的恢复，请先给出 --to (no restore is to be settled: name --to first)')
  }
  let [closes, open] = [0, 0]
  let keys: OrderKeys = []
  const store = async (): Promise<void> => {
    open += await addAnsweredCloses(pool, keys)
    keys = []
  }
  for (const file of files) {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      const key = answeredClose(line)
      if (key === null) continue
      closes += 1
      keys.push(key)
      if (keys.length >= KEYS_AT_ONCE) await store()
    }
  }
  await store()
  say(
    `日志中有 ${closes} 次已答复的关单，其中 ${open} 单在库中仍未关闭 (closes that were answered, and those of them that the books call open)`,
  )
}

/** The order of a close that was answered with SUCCESS; null for every other line. */
export function answeredClose(line: string): OrderKeys[number] | null {
  if (!line.includes('"SUCCESS"') || !line.includes('/close"')) return null
  let found: Record<string, unknown>
  try {
    found = JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>
  } catch {
    return null
  }
  const { msg, method, path, outcome, mchNo, transactionNo } = found
  const isClose = msg === 'request' && method === 'POST' && String(path).endsWith('/close') && outcome === 'SUCCESS'
  if (!isClose || typeof mchNo !== 'string' || typeof transactionNo !== 'string') return null
  return { mchNo, transactionNo }
}

function read(args: string[]): { to: Date | null; logs: string[] } {
  try {
    const { values } = parseArgs({ args, options: { to: { type: 'string' }, log: { type: 'string', multiple: true } } })
    const to = values.to === undefined ? null : new Date(values.to)
    if (to !== null && (Number.isNaN(to.getTime()) || !/(?:Z|[+-]\d\d:\d\d)$/.test(values.to ?? ''))) throw new Error()
    return { to, logs: values.log ?? [] }
  } catch {
    throw new UsageError('')
  }
}
