/** The day's bill, the gateway's own reconciliation and its pending work, as a merchant and an operator read them. */
import { createHash } from 'node:crypto'
import { atConsole, type Client, call } from './client.ts'
import { ask } from './http.ts'
import type { Fact } from './record.ts'

const CHINA_MS = 8 * 3_600_000
const HOUR_MS = 3_600_000
const READY_MS = 5 * 60_000

/** The day in UTC+8. */
export const dayOf = (ms: number): string => new Date(ms + CHINA_MS).toISOString().slice(0, 10)

/** The hours until past 10:00 of the next day (UTC+8), when the upstreams' bills and the gateway's are made. */
export function hoursUntilBills(nowMs: number): number {
  const readyMs = Date.parse(`${dayOf(nowMs)}T10:00:00+08:00`) + 24 * HOUR_MS + READY_MS
  return Math.ceil((readyMs - nowMs) / HOUR_MS)
}

export type Bills = { lines: { transactionNo: string; fact: Fact }[] }

/** Returns a string when there is no bill to read: it says why. */
export async function readBill(client: Client, day: string): Promise<Bills | string> {
  const answered = await call(client, 'GET', 'bill', { bill_date: day })
  const { status, data = {} } = answered?.answer ?? {}
  if (status !== 200) return `the bill of ${day}: ${status}`
  if (data.code === 'NO_BILL') return { lines: [] }
  if (data.code !== 'SUCCESS' || data.url == null) return `the bill of ${day}: ${data.code}`
  const { text } = await ask(data.url)
  if (createHash('sha256').update(text).digest('hex') !== data.hash_code)
    return `the bill of ${day}: its file has another hash`
  const [head = [], ...rows] = text.trim().split('\r\n').map(cellsOf)
  const lines = rows.flatMap((cells) => {
    const row = Object.fromEntries(head.map((name, index) => [name, cells[index] ?? '']))
    return /^(PAYMENT|REFUND|REVERSAL)$/.test(row.kind ?? '') ? [lineOf(row)] : []
  })
  return { lines }
}

function lineOf(row: Record<string, string>): Bills['lines'][number] {
  const { kind = '', state = '', transaction_no = '', mch_refund_no, amount = '' } = row
  const nowMs = Date.now()
  const fact: Fact = {
    column: 'bill',
    word: kind === 'PAYMENT' ? `${kind} ${state}` : kind,
    sentMs: nowMs,
    knownMs: nowMs,
    fen: Math.round(Number(amount) * 100),
    ...(mch_refund_no ? { refund: mch_refund_no } : {}),
  }
  return { transactionNo: transaction_no, fact }
}

/** RFC 4180: a text may be quoted. */
const cellsOf = (line: string): string[] =>
  Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  )

type Row = { day: string; channel: string; kind: string; attempt_no: string; settled: boolean }

/** Whether the gateway has compared every upstream's bill of these days with its books. */
export async function isReconciled(client: Client, days: string[]): Promise<boolean> {
  const answered = await atConsole(client, 'GET', 'reconciliations?limit=100')
  const rows = (answered?.answer.body.rows ?? []) as Row[]
  return days.every((day) =>
    ['wechat', 'alipay'].every((name) => rows.some((row) => row.day === day && row.channel === name)),
  )
}

/** The differences that are not settled. */
export async function readDifferences(client: Client): Promise<{ attempt: string; kind: string }[]> {
  const found: { attempt: string; kind: string }[] = []
  let after = ''
  for (;;) {
    const answered = await atConsole(client, 'GET', `differences?settled=false&limit=100${after}`)
    const { rows = [], next = null } = (answered?.answer.body ?? {}) as { rows?: Row[]; next?: string | null }
    found.push(...rows.map(({ attempt_no, kind }) => ({ attempt: attempt_no, kind })))
    if (next === null) return found
    after = `&after=${encodeURIComponent(next)}`
  }
}

/** An order's open attempts with the upstream's last answer, and its pending jobs, one line each. */
export async function readPending(client: Client, transactionNo: string): Promise<string[]> {
  const answered = await atConsole(client, 'GET', `orders/${client.mchNo}/${transactionNo}`)
  const { attempts = [], jobs = [] } = (answered?.answer.body ?? {}) as { attempts?: Pending[]; jobs?: Pending[] }
  return [
    ...attempts
      .filter(({ state }) => state === 'OPENING' || state === 'OPEN')
      .map(
        (one) =>
          `attempt ${one.attempt_no} ${one.channel} ${one.state}, last answer ${one.last_answer_at}: ${one.last_answer}`,
      ),
    ...jobs.map((job) => `job ${JSON.stringify(job)}`),
  ]
}

type Pending = Record<string, string | number | null>
