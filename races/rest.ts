/** After the last order: waits for rest, puts the clocks ahead to the next morning, reads the bills, and judges. */
import { setTimeout as pause } from 'node:timers/promises'
import { dayOf, hoursUntilBills, isReconciled, readBill, readDifferences, readPending } from './bill.ts'
import { signIn } from './client.ts'
import { ask } from './http.ts'
import { close, query, queryRefund, troubleOf } from './play.ts'
import type { OrderRecord, Rest, Violation } from './record.ts'
import type { Judged, Room } from './room.ts'
import { restViolations, stateOf, storyViolations } from './rules.ts'

/** What is still under way after this time ends the morning after. */
const EVENING_MS = 5_000
/** Without a morning after: retries pause for up to 375 s. Longer pauses end when the clocks go ahead. */
const NO_MORNING_MS = 400_000
const MORNING_MS = 240_000
/** When no order comes to rest for this long, the clocks go ahead by another hour. */
const STILL_MS = 25_000
/** The judge gives up after so many hours in a row without an order coming to rest, and after so many in all. */
const STILL_HOURS = 3
const HOURS_MORE = 10
/** Long time-outs for the morning after, so that a busy machine does not look like an upstream that does not answer. */
const PATIENT = { ACOPAY_CHANNEL_CALL_MS: '6000', ACOPAY_CLOSE_BUDGET_MS: '7000', ACOPAY_LEASE_MS: '15000' }
const AT_ONCE = 16
const FINAL = ['CLOSED', 'SUCCESS', 'REFUND']

export async function judgeAtRest(room: Room): Promise<Judged> {
  const { hasBill, say } = room
  const records = placedOf(room)
  say(`all ${records.length} played; no more faults; the merchant closes what is not paid`)
  const evening = await settle(room, {
    untilMs: Date.now() + (hasBill ? EVENING_MS : NO_MORNING_MS),
    mayClose: true,
    isAhead: false,
  })
  const morning = hasBill ? await morningAfter(room) : { ...NOT_BILLED, rests: await hoursLater(room, evening, 0) }
  say(`asking once more about all ${records.length}`)
  await everywhere(records, (record) => lookAgain(room, record, true))
  return judge(records, await taken(room), morning)
}

/** Leaves out the orders that the gateway did not accept or never answered: they have no number to ask for. */
function placedOf(room: Room): OrderRecord[] {
  const records = room.records.filter(({ transactionNo }) => transactionNo !== '')
  const unplaced = room.records.length - records.length
  if (unplaced > 0) room.unoffered.add(`${unplaced} orders that could not be placed in time`)
  room.records = records
  return records
}

type Morning = {
  rests: Map<OrderRecord, Rest>
  isBilled: boolean
  /** When the clocks were put ahead; null where no bill was read. */
  aheadMs: number | null
  differences: Rest['differences']
}

const NOT_BILLED = { isBilled: false, aheadMs: null, differences: [] }

/** The gateways hours later: bills are made, and every job is due. */
async function morningAfter(room: Room): Promise<Morning> {
  const endedMs = Date.now()
  const days = [...new Set([dayOf(room.startedMs), dayOf(endedMs)])]
  const hours = hoursUntilBills(endedMs)
  const aheadMs = await goAhead(room, { by: hours, inAll: hours })
  const isBilled = await addBills(room, days)
  // A gateway whose clock cannot be put ahead finds unnotified payments only when its watch comes round.
  const untilMs = Date.now() + (isBilled ? MORNING_MS : NO_MORNING_MS)
  const morning = await settle(room, { untilMs, mayClose: false, isAhead: isBilled })
  if (!isBilled) return { ...NOT_BILLED, rests: morning }
  const rests = await hoursLater(room, morning, hours)
  return { rests, isBilled, aheadMs, differences: await reconciled(room, days) }
}

/**
 * While orders are not at rest, puts the clocks ahead by another hour, so that every pausing job is due. On a busy machine
 * a job may fail again and pause again: the judge goes on as long as orders come to rest.
 */
async function hoursLater(room: Room, before: Map<OrderRecord, Rest>, hours: number): Promise<Map<OrderRecord, Rest>> {
  let rests = before
  let least = countMoving(room, rests)
  for (let more = 1, still = 0; least > 0 && still < STILL_HOURS && more <= HOURS_MORE; more++) {
    await goAhead(room, { by: 1, inAll: hours + more })
    rests = await settle(room, { untilMs: Date.now() + MORNING_MS, mayClose: false, isAhead: true })
    const moving = countMoving(room, rests)
    still = moving < least ? 0 : still + 1
    least = Math.min(least, moving)
  }
  return rests
}

function judge(records: OrderRecord[], money: Money, { isBilled, aheadMs, differences }: Morning): Judged {
  const rests = new Map<OrderRecord, Rest>()
  const violations = new Map<OrderRecord, Violation[]>()
  for (const record of records) {
    const rest: Rest = {
      ...restOf(record, money),
      isBilled,
      differences: differences.filter(({ attempt }) => record.attempts.some(({ no }) => no === attempt)),
    }
    rests.set(record, rest)
    const found = [...storyViolations(record), ...restViolations(record, rest, aheadMs)]
    if (found.length > 0) violations.set(record, found)
  }
  return { records, rests, violations }
}

/** Asks about the orders that are not at rest until all are, or the time is up. */
async function settle(
  room: Room,
  { untilMs, mayClose, isAhead }: { untilMs: number; mayClose: boolean; isAhead: boolean },
): Promise<Map<OrderRecord, Rest>> {
  const { records, say } = room
  const rests = new Map<OrderRecord, Rest>()
  let moving = records
  let least = moving.length
  let changedMs = Date.now()
  let saidMs = Date.now()
  for (;;) {
    const money = await taken(room)
    await everywhere(moving, async (record) => {
      if (mayClose) await closeUnlessFinal(room, record)
      await lookAgain(room, record, false)
    })
    for (const record of moving) rests.set(record, restOf(record, money))
    moving = moving.filter((record) => isInMotion(record, restIn(rests, record)))
    if (moving.length < least) [least, changedMs] = [moving.length, Date.now()]
    const isStill = isAhead && Date.now() - changedMs > STILL_MS
    if (moving.length === 0 || Date.now() > untilMs || isStill) {
      await sayMoving(room, moving, rests)
      return rests
    }
    if (Date.now() - saidMs > 5_000) {
      saidMs = Date.now()
      say(`${moving.length} not at rest yet`)
    }
    await pause(1_000)
  }
}

async function closeUnlessFinal(room: Room, record: OrderRecord): Promise<void> {
  const state = stateOf(record)
  if (state !== '' && !FINAL.includes(state)) await close(clientOf(room, record), record, 'transaction_no')
}

const SAID_MAX = 5

/** Names orders that did not come to rest in time, why they are not at rest, and what the console says of them. */
async function sayMoving(room: Room, moving: OrderRecord[], rests: Map<OrderRecord, Rest>): Promise<void> {
  const { say } = room
  for (const record of moving.slice(0, SAID_MAX)) {
    const why = restViolations(record, restIn(rests, record), null).map((violation) => violation.why)
    say(`order ${record.plan.order} ${record.transactionNo} is not at rest: ${why.join('; ')}`)
    for (const line of await readPending(clientOf(room, record), record.transactionNo)) say(`  ${line}`)
  }
  if (moving.length > SAID_MAX) say(`… and ${moving.length - SAID_MAX} more`)
}

const restIn = (rests: Map<OrderRecord, Rest>, record: OrderRecord): Rest =>
  rests.get(record) ?? { money: [], isBilled: false, differences: [] }

/** An order with a wrong answer or notification stays wrong: the judge does not wait for it. */
const isInMotion = (record: OrderRecord, rest: Rest): boolean =>
  restViolations(record, rest, null).length > 0 && storyViolations(record).every(({ rule }) => rule === 'answered')

const countMoving = ({ records }: Room, rests: Map<OrderRecord, Rest>): number =>
  records.filter((record) => isInMotion(record, restIn(rests, record))).length

const clientOf = (room: Room, record: OrderRecord) => ({ ...room.client, trouble: troubleOf(room.client, record) })

/** Queries the order and each refund that has not ended; with `isThorough`, every refund. */
async function lookAgain(room: Room, record: OrderRecord, isThorough: boolean): Promise<void> {
  if (record.transactionNo === '') return
  const client = clientOf(room, record)
  await query(client, record)
  const asked = new Set<string>()
  const ended = new Set<string>()
  for (const { column, word, refund } of record.facts) {
    if (refund === undefined) continue
    if (column === 'refund') asked.add(refund)
    if (word === 'SUCCESS' || word === 'FAIL') ended.add(refund)
  }
  for (const refund of asked) if (isThorough || !ended.has(refund)) await queryRefund(client, record, refund)
}

type Money = Map<string, { takenFen: number; returnedFen: number }>

/** What both upstreams' own books say. */
async function taken({ house }: Room): Promise<Money> {
  const money: Money = new Map()
  for (const channel of ['wechat', 'alipay']) {
    const reply = await ask(`${house.gateway()}/sandbox/upstreams/${channel}/taken`, { timeoutMs: 60_000 })
    const rows = JSON.parse(reply.text) as { attempt_no: string; taken_fen: number; returned_fen: number }[]
    for (const row of rows) money.set(row.attempt_no, { takenFen: row.taken_fen, returnedFen: row.returned_fen })
  }
  return money
}

const restOf = ({ attempts }: OrderRecord, money: Money): Rest => ({
  money: attempts.map(({ no }) => ({ attempt: no, ...(money.get(no) ?? { takenFen: 0, returnedFen: 0 }) })),
  isBilled: false,
  differences: [],
})

/** Starts all gateways again and moves their clock on by hours. Returns when that was. */
async function goAhead(room: Room, hours: { by: number; inAll: number }): Promise<number> {
  const { house, say, client } = room
  say(`the gateways are started again and go on to ${hours.inAll} h ahead, so that every pausing job is due`)
  const aheadMs = Date.now()
  await house.restart(PATIENT)
  const move = { method: 'POST', body: JSON.stringify({ to: `+${hours.by}h` }), timeoutMs: 120_000 }
  const { status } = await ask(`${house.gateway()}/sandbox/time`, move)
  // A gateway of another checkout may be older: its processes are started ahead.
  if (status === 404) await house.restart({ ACOPAY_SANDBOX_AHEAD_HOURS: String(hours.inAll) })
  const operator = house.users.find(({ role }) => role === 'operator')
  if (operator !== undefined) await signIn(client, operator)
  return aheadMs
}

/** Adds the lines of the bills to their orders' facts. False when this gateway has no bill for a day. */
async function addBills({ client, records, unoffered }: Room, days: string[]): Promise<boolean> {
  const byNo = new Map(records.map((record) => [record.transactionNo, record]))
  for (const day of days) {
    let bill = await readBill(client, day)
    for (let tries = 0; typeof bill === 'string' && bill.endsWith('BILL_NOT_EXIST') && tries < 60; tries++) {
      await pause(1_000)
      bill = await readBill(client, day)
    }
    if (typeof bill === 'string') {
      unoffered.add(`${bill}: not judged`)
      return false
    }
    for (const { transactionNo, fact } of bill.lines) byNo.get(transactionNo)?.facts.push(fact)
  }
  return true
}

async function reconciled({ client, unoffered }: Room, days: string[]): Promise<Rest['differences']> {
  for (let tries = 0; tries < 120; tries++) {
    if (await isReconciled(client, days)) return readDifferences(client)
    await pause(1_000)
  }
  unoffered.add('the upstreams’ bills were not compared with the books within two minutes: not judged')
  return []
}

async function everywhere(records: OrderRecord[], what: (record: OrderRecord) => Promise<void>): Promise<void> {
  const waiting = [...records]
  const lane = async (): Promise<void> => {
    for (let record = waiting.shift(); record !== undefined; record = waiting.shift()) await what(record)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}
