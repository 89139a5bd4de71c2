/** Plays one order's plan against the gateways and records every answer. */
import { setTimeout as pause } from 'node:timers/promises'
import type { JsonObject } from '@acopay/protocol'
import { type Answer, type Answered, atConsole, type Client, call, sandbox } from './client.ts'
import type { Event, PayersCall, Plan } from './plan.ts'
import type { Column, Fact, OrderRecord } from './record.ts'
import { CLOSED, CLOSING, EXPIRED, PAID } from './stories.ts'

export type Playing = {
  record: OrderRecord
  /** The events around the close are over: another order may begin. */
  hot: Promise<void>
  /** All events are over. */
  done: Promise<void>
}

type Place = { client: Client; notifyUrl: string; record: OrderRecord; opened: Map<number, Promise<string | null>> }

/** Later events run while the next orders are played. */
const HOT_MS = 600
const OPERATOR_SAYS: Record<string, string> = { closed: CLOSED, expired: EXPIRED, paid: PAID, closing: CLOSING }
const yuan = (fen: number): string => (fen / 100).toFixed(2)

export const mchRefundNo = ({ mchTradeNo }: OrderRecord, refund: number): string =>
  `${mchTradeNo.slice(0, 40)}-rf-${refund}`

/** `run` makes the merchant's numbers unique: a plan may be played many times. */
export function play(shared: Client, plan: Plan, { run, notifyUrl }: { run: string; notifyUrl: string }): Playing {
  const mchTradeNo = `races-${plan.seed}-${plan.order}-${run}`.padEnd(24, '0').slice(0, 50)
  const record: OrderRecord = { plan, transactionNo: '', mchTradeNo, attempts: [], facts: [] }
  const client = { ...shared, trouble: troubleOf(shared, record) }
  const place: Place = { client, notifyUrl, record, opened: new Map() }
  const placed = placeOrder(place)
  const atItsTime = async <Done>(atMs: number, what: () => Promise<Done>): Promise<Done | null> => {
    const beganMs = await placed
    if (beganMs === null) return null
    await pause(Math.max(0, beganMs + atMs - Date.now()))
    return what()
  }
  for (const event of plan.events) {
    if (event.do !== 'open') continue
    place.opened.set(
      event.attempt,
      atItsTime(event.atMs, () => openAttempt(place, event)),
    )
  }
  const calls = plan.events.map((event) => atItsTime(event.atMs, () => callOf(place, event)))
  const hot = calls.filter((_call, index) => (plan.events[index]?.atMs ?? 0) <= HOT_MS)
  return {
    record,
    hot: Promise.all([placed, ...hot]).then(() => {}),
    done: Promise.all(calls).then(() => {}),
  }
}

/** A call without an answer is a violation, except in runs that kill processes. */
export const troubleOf =
  ({ isKilled }: Client, { facts }: OrderRecord) =>
  (what: string): void => {
    if (isKilled) return
    const nowMs = Date.now()
    facts.push({ column: 'trouble', word: what, sentMs: nowMs, knownMs: nowMs })
  }

/** When the merchant placed the order; null when the gateway did not accept it. */
async function placeOrder({ client, record, notifyUrl }: Place): Promise<number | null> {
  const { plan, mchTradeNo } = record
  const expires = plan.expiresInMs === null ? {} : { time_expire: timeText(Date.now() + plan.expiresInMs) }
  const answered = await call(client, 'POST', 'trade', {
    app_no: client.appNo,
    mch_trade_no: mchTradeNo,
    description: `race ${plan.seed}/${plan.order}`,
    amount_total: yuan(plan.amountFen),
    amount_currency: 'CNY',
    notify_url: notifyUrl,
    ...expires,
  })
  note(record, answered, { column: 'place', wordOf: errorOr(({ code }) => code ?? '') })
  if (answered?.answer.data.transaction_no == null) return null
  record.transactionNo = answered.answer.data.transaction_no
  return Date.now()
}

const timeText = (ms: number): string => `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`

/** What a record keeps of one call beside its times: the column, the word for its answer, and what the call was about. */
type Noted<Got> = { column: Column; wordOf: (answer: Got) => string; more?: Partial<Fact> }

/** Records an answer, and before it each try that had none. */
function note<Got>(
  { facts }: OrderRecord,
  answered: Answered<Got> | null,
  { column, wordOf, more = {} }: Noted<Got>,
): void {
  for (const { sentMs } of answered?.unanswered ?? []) facts.push({ column, word: '', sentMs, knownMs: null, ...more })
  if (answered === null) {
    facts.push({
      column: 'trouble',
      word: 'no answer for five minutes',
      sentMs: Date.now(),
      knownMs: Date.now(),
      note: column,
    })
    return
  }
  const { answer, sentMs, knownMs } = answered
  facts.push({ column, word: wordOf(answer), sentMs, knownMs, ...more })
}

function callOf(place: Place, event: Event): Promise<void> {
  switch (event.do) {
    case 'open':
      return Promise.resolve(place.opened.get(event.attempt)).then(() => {})
    case 'scan':
    case 'pay':
    case 'pay-anyway':
    case 'give-back':
      return payer(place, event.do, event.attempt)
    case 'close':
      return close(place.client, place.record, event.by)
    case 'operator_close':
      return operatorClose(place)
    case 'query':
      return query(place.client, place.record)
    case 'refund':
      return refund(place, event)
    case 'query_refund':
      return queryRefund(place.client, place.record, mchRefundNo(place.record, event.refund))
  }
}

async function openAttempt({ client, record }: Place, event: Event & { do: 'open' }): Promise<string | null> {
  const { channel, method } = event
  const path = `${client.mchNo}/orders/${record.transactionNo}/attempts?channel=${channel}&method=${method}`
  const answered = await sandbox(client, 'POST', path)
  const { attempt_no = null } =
    answered?.answer.status === 200 ? (JSON.parse(answered.answer.text) as { attempt_no: string }) : {}
  if (attempt_no !== null) record.attempts.push({ no: attempt_no, channel, method })
  const more = { note: `${channel} ${method}`, ...(attempt_no === null ? {} : { attempt: attempt_no }) }
  note(record, answered, { column: 'open', wordOf: statusWord({ 200: 'opened', 409: 'refused' }), more })
  return attempt_no
}

/** The word for the HTTP status of a sandbox call; a status without a word is shown as it is. */
const statusWord =
  (words: Record<number, string>) =>
  ({ status }: { status: number }): string =>
    words[status] ?? String(status)

const PAYERS: Record<PayersCall, { column: Column; done: string }> = {
  scan: { column: 'scan', done: 'scanned' },
  pay: { column: 'pay', done: 'taken' },
  'pay-anyway': { column: 'pay', done: 'taken' },
  'give-back': { column: 'outside', done: 'returned' },
}

async function payer({ client, record, opened }: Place, what: PayersCall, attempt: number): Promise<void> {
  // The payer needs the code: wait for an attempt that is being opened.
  const no = await (opened.get(attempt) ?? Promise.resolve(null))
  if (no === null) return
  const path = `${client.mchNo}/orders/${record.transactionNo}/attempts/${no}/${what}`
  const answered = await sandbox(client, 'POST', path)
  const { column, done } = PAYERS[what]
  const more = { attempt: no, ...(what === 'pay-anyway' ? { note: what } : {}) }
  const wordOf = statusWord({ 200: done, 404: 'not offered', 409: 'refused' })
  note(record, answered, { column, wordOf, more })
}

const errorOr =
  (word: (data: Answer['data']) => string) =>
  ({ status, data }: Answer): string =>
    status === 200 ? word(data) : String(status)

export async function close(client: Client, record: OrderRecord, by: 'transaction_no' | 'mch_trade_no'): Promise<void> {
  const answered = await call(client, 'POST', 'close', refOf(record, by))
  const wordOf = errorOr(({ description }) => (description ?? '').split('，')[0] ?? '')
  note(record, answered, { column: 'close', wordOf, more: { note: by } })
}

export async function query(client: Client, record: OrderRecord): Promise<void> {
  const answered = await call(client, 'GET', 'trade', refOf(record, 'transaction_no'))
  note(record, answered, { column: 'query', wordOf: errorOr(({ code }) => code ?? '') })
}

export async function queryRefund(client: Client, record: OrderRecord, refund: string): Promise<void> {
  const answered = await call(client, 'GET', 'refund', { mch_refund_no: refund })
  note(record, answered, { column: 'query_refund', wordOf: errorOr(({ code }) => code ?? ''), more: { refund } })
}

async function refund({ client, record, notifyUrl }: Place, event: Event & { do: 'refund' }): Promise<void> {
  const no = mchRefundNo(record, event.refund)
  const answered = await call(client, 'POST', 'refund', {
    ...refOf(record, event.by),
    mch_refund_no: no,
    refund_amount: yuan(event.fen),
    refund_reason: 'race',
    notify_url: notifyUrl,
  })
  const more = { refund: no, fen: event.fen }
  note(record, answered, { column: 'refund', wordOf: errorOr(({ code }) => code ?? ''), more })
}

async function operatorClose({ client, record }: Place): Promise<void> {
  const answered = await atConsole(client, 'POST', `orders/${client.mchNo}/${record.transactionNo}/close`)
  const wordOf = ({ status, body }: { status: number; body: Record<string, unknown> }): string =>
    OPERATOR_SAYS[String(body.outcome)] ?? String(status)
  note(record, answered, { column: 'close', wordOf, more: { note: 'operator' } })
}

const refOf = ({ transactionNo, mchTradeNo }: OrderRecord, by: 'transaction_no' | 'mch_trade_no'): JsonObject =>
  by === 'transaction_no' ? { transaction_no: transactionNo } : { mch_trade_no: mchTradeNo }
