/** Plays one order's plan against the gateways and writes down what was heard. */
import { setTimeout as pause } from 'node:timers/promises'
import type { JsonObject } from '@acopay/protocol'
import { type Answer, atConsole, type Client, call, type Heard, sandbox } from './client.ts'
import type { Event, Plan } from './plan.ts'
import type { Column, Fact, OrderRecord } from './record.ts'
import { CLOSED, CLOSING, EXPIRED, PAID } from './stories.ts'

export type Playing = {
  record: OrderRecord
  /** What happens around the close is over: another order may begin. */
  hot: Promise<void>
  /** All of it is over. */
  done: Promise<void>
}

type Place = { client: Client; notifyUrl: string; record: OrderRecord; opened: Map<number, Promise<string | null>> }

/** Later events run beside the next orders. */
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
  const deeds = plan.events.map((event) => atItsTime(event.atMs, () => deed(place, event)))
  const hot = deeds.filter((_deed, index) => (plan.events[index]?.atMs ?? 0) <= HOT_MS)
  return {
    record,
    hot: Promise.all([placed, ...hot]).then(() => {}),
    done: Promise.all(deeds).then(() => {}),
  }
}

/** Where processes are killed a call without an answer is no news; else it is a violation. */
export const troubleOf =
  ({ isKilled }: Client, { facts }: OrderRecord) =>
  (what: string): void => {
    if (isKilled) return
    const nowMs = Date.now()
    facts.push({ column: 'trouble', word: what, sentMs: nowMs, knownMs: nowMs })
  }

/** When it was placed; null where that was not answered. */
async function placeOrder({ client, record, notifyUrl }: Place): Promise<number | null> {
  const { plan, mchTradeNo } = record
  const expires = plan.expiresInMs === null ? {} : { time_expire: timeText(Date.now() + plan.expiresInMs) }
  const heard = await call(client, 'POST', 'trade', {
    ...{ app_no: client.appNo, mch_trade_no: mchTradeNo, description: `race ${plan.seed}/${plan.order}` },
    ...{ amount_total: yuan(plan.amountFen), amount_currency: 'CNY', notify_url: notifyUrl, ...expires },
  })
  note(record, 'place', heard, ({ status, data }) => (status === 200 ? (data.code ?? '') : String(status)))
  if (heard?.answer.data.transaction_no == null) return null
  record.transactionNo = heard.answer.data.transaction_no
  return Date.now()
}

const timeText = (ms: number): string => `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`

/** Writes down an answer, and before it each call that had none. */
function note<Got>(
  { facts }: OrderRecord,
  column: Column,
  heard: Heard<Got> | null,
  wordOf: (answer: Got) => string,
  more: Partial<Fact> = {},
): void {
  for (const { sentMs } of heard?.unanswered ?? []) facts.push({ column, word: '', sentMs, knownMs: null, ...more })
  if (heard === null) {
    facts.push({
      column: 'trouble',
      word: 'no answer for five minutes',
      sentMs: Date.now(),
      knownMs: Date.now(),
      note: column,
    })
    return
  }
  const { answer, sentMs, knownMs } = heard
  facts.push({ column, word: wordOf(answer), sentMs, knownMs, ...more })
}

function deed(place: Place, event: Event): Promise<void> {
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
  const heard = await sandbox(client, 'POST', path)
  const { attempt_no = null } =
    heard?.answer.status === 200 ? (JSON.parse(heard.answer.text) as { attempt_no: string }) : {}
  if (attempt_no !== null) record.attempts.push({ no: attempt_no, channel, method })
  note(
    record,
    'open',
    heard,
    ({ status }) => (status === 200 ? 'opened' : status === 409 ? 'refused' : String(status)),
    {
      ...(attempt_no === null ? {} : { attempt: attempt_no }),
      note: `${channel} ${method}`,
    },
  )
  return attempt_no
}

async function payer({ client, record, opened }: Place, what: string, attempt: number): Promise<void> {
  // The payer needs the code: an attempt that is being opened is waited for.
  const no = await (opened.get(attempt) ?? Promise.resolve(null))
  if (no === null) return
  const heard = await sandbox(client, 'POST', `${client.mchNo}/orders/${record.transactionNo}/attempts/${no}/${what}`)
  const column = what === 'scan' ? 'scan' : what === 'give-back' ? 'outside' : 'pay'
  const done = { scan: 'scanned', pay: 'taken', outside: 'returned' }[column]
  const wordOf = ({ status }: { status: number }): string =>
    status === 200 ? done : status === 409 ? 'refused' : status === 404 ? 'not offered' : String(status)
  note(record, column, heard, wordOf, { attempt: no, ...(what === 'pay-anyway' ? { note: what } : {}) })
}

const errorOr =
  (word: (data: Answer['data']) => string) =>
  ({ status, data }: Answer): string =>
    status === 200 ? word(data) : String(status)

export async function close(client: Client, record: OrderRecord, by: 'transaction_no' | 'mch_trade_no'): Promise<void> {
  const heard = await call(client, 'POST', 'close', refOf(record, by))
  note(
    record,
    'close',
    heard,
    errorOr(({ description }) => (description ?? '').split('，')[0] ?? ''),
    { note: by },
  )
}

export async function query(client: Client, record: OrderRecord): Promise<void> {
  const heard = await call(client, 'GET', 'trade', refOf(record, 'transaction_no'))
  note(
    record,
    'query',
    heard,
    errorOr(({ code }) => code ?? ''),
  )
}

export async function queryRefund(client: Client, record: OrderRecord, refund: string): Promise<void> {
  const heard = await call(client, 'GET', 'refund', { mch_refund_no: refund })
  note(
    record,
    'query_refund',
    heard,
    errorOr(({ code }) => code ?? ''),
    { refund },
  )
}

async function refund({ client, record, notifyUrl }: Place, event: Event & { do: 'refund' }): Promise<void> {
  const no = mchRefundNo(record, event.refund)
  const heard = await call(client, 'POST', 'refund', {
    ...refOf(record, event.by),
    ...{ mch_refund_no: no, refund_amount: yuan(event.fen), refund_reason: 'race', notify_url: notifyUrl },
  })
  note(
    record,
    'refund',
    heard,
    errorOr(({ code }) => code ?? ''),
    { refund: no, fen: event.fen },
  )
}

async function operatorClose({ client, record }: Place): Promise<void> {
  const heard = await atConsole(client, 'POST', `orders/${client.mchNo}/${record.transactionNo}/close`)
  const wordOf = ({ status, body }: { status: number; body: Record<string, unknown> }): string =>
    OPERATOR_SAYS[String(body.outcome)] ?? String(status)
  note(record, 'close', heard, wordOf, { note: 'operator' })
}

const refOf = ({ transactionNo, mchTradeNo }: OrderRecord, by: 'transaction_no' | 'mch_trade_no'): JsonObject =>
  by === 'transaction_no' ? { transaction_no: transactionNo } : { mch_trade_no: mchTradeNo }
