/** Compares one order's record with the table of stories and the rules of money. Pure: no clock, no network. */
import type { Column, Fact, OrderRecord, Rest, Violation } from './record.ts'
import { type Cause, type Cells, REST_RULES, type RestRule, STORIES, type Story } from './stories.ts'

const REFUND_COLUMNS: readonly Column[] = ['refund', 'query_refund', 'told_refund']
const ACCEPTED = ['PROCESSING', 'SUCCESS', 'FAIL']
const yuan = (fen: number): string => (fen / 100).toFixed(2)

/** Answers and notifications that no legal story gives this order's merchant. */
export function storyViolations({ facts }: Pick<OrderRecord, 'facts'>): Violation[] {
  const found = STORIES.flatMap((story) => firstFactsOf(facts, story).flatMap((first) => against(facts, story, first)))
  return [...found, ...numberReused(facts), ...wrongAmount(facts)]
}

/** The first fact that begins the story; for stories of refunds, one for each refund. */
function firstFactsOf(facts: Fact[], { begins, of }: Story): Fact[] {
  const firsts = new Map<string, Fact>()
  for (const fact of facts) {
    if (fact.knownMs === null || !begins.some(([column, word]) => fact.column === column && fact.word === word))
      continue
    const key = of === 'refund' ? (fact.refund ?? '') : ''
    if ((firsts.get(key)?.knownMs ?? Number.POSITIVE_INFINITY) > fact.knownMs) firsts.set(key, fact)
  }
  return [...firsts.values()]
}

function against(facts: Fact[], story: Story, first: Fact): Violation[] {
  const { rule, of, after, ever, needs } = story
  const knownMs = first.knownMs ?? Number.POSITIVE_INFINITY
  const others = facts.filter(
    (fact) =>
      fact.word !== '' && (of === 'order' || !REFUND_COLUMNS.includes(fact.column) || fact.refund === first.refund),
  )
  const begin = `${first.column} ${first.word}`
  const wrong = others.flatMap((fact): Violation[] => {
    if (!isAllowed(ever, fact)) return [{ rule, why: `${begin}, and ${fact.column} ${fact.word}` }]
    // Only calls that the merchant began after it knew: of two calls at once either may have been first.
    if (fact.sentMs <= knownMs || isAllowed(after, fact)) return []
    return [{ rule, why: `${begin}, and after it ${fact.column} ${fact.word}` }]
  })
  if (needs !== undefined && !isCaused(facts, needs, first)) wrong.push({ rule, why: `${begin} without a cause` })
  return wrong.slice(0, 1)
}

const isAllowed = (cells: Cells, { column, word }: Fact): boolean => cells[column]?.includes(word) ?? true

function isCaused(facts: Fact[], cause: Cause, first: Fact): boolean {
  const knownMs = first.knownMs ?? Number.POSITIVE_INFINITY
  return facts.some(({ column, word, sentMs, refund }) => {
    if (sentMs > knownMs) return false
    // The gateway may have carried out a call that it did not answer.
    if (column === 'outside') return cause !== 'this_refund' && (word === 'returned' || word === '')
    if (column !== 'refund' || cause === 'outside') return false
    return (ACCEPTED.includes(word) || word === '') && (cause === 'own_refund' || refund === first.refund)
  })
}

/** Of two amounts under one refund number at most one is accepted (protocol.md 3.4). */
function numberReused(facts: Fact[]): Violation[] {
  const amounts = new Map<string, number>()
  for (const { column, word, refund = '', fen = 0 } of facts) {
    if (column !== 'refund' || !ACCEPTED.includes(word)) continue
    const before = amounts.get(refund) ?? fen
    amounts.set(refund, before)
    if (before !== fen)
      return [{ rule: 'refund-accepted', why: `${refund} accepted for ${yuan(before)} and ${yuan(fen)}` }]
  }
  return []
}

/** A refund notification names the amount that the merchant asked for (protocol.md 3.7). */
function wrongAmount(facts: Fact[]): Violation[] {
  const asked = new Map<string, number[]>()
  for (const { column, refund = '', fen = 0 } of facts) {
    if (column === 'refund') asked.set(refund, [...(asked.get(refund) ?? []), fen])
  }
  const wrong = facts.find(
    ({ column, refund = '', fen = 0 }) => column === 'told_refund' && !asked.get(refund)?.includes(fen),
  )
  return wrong === undefined
    ? []
    : [{ rule: 'refund-accepted', why: `told of a refund of ${yuan(wrong.fen ?? 0)} that was not asked` }]
}

/** The order's state by the last query. */
export const stateOf = ({ facts }: Pick<OrderRecord, 'facts'>): string =>
  facts.filter(({ column, word }) => column === 'query' && word !== '').at(-1)?.word ?? ''

type Refund = { refund: string; word: string; fen: number; knownMs: number }

/** Each refund that was accepted, with the last answer or notification about it, and its amount. */
function refundsOf(facts: Fact[]): Refund[] {
  const found = new Map<string, Refund>()
  for (const { column, word, refund = '', fen = 0, knownMs } of facts) {
    if (!REFUND_COLUMNS.includes(column) || !ACCEPTED.includes(word) || knownMs === null) continue
    const before = found.get(refund)
    const isEnded = before !== undefined && before.word !== 'PROCESSING'
    found.set(refund, isEnded ? before : { refund, word, fen: fen || (before?.fen ?? 0), knownMs })
  }
  return [...found.values()]
}

/** What is wrong at rest. `aheadMs`: when the gateways' clocks were put ahead. */
export function restViolations(record: OrderRecord, rest: Rest, aheadMs: number | null): Violation[] {
  const { facts, plan } = record
  const state = stateOf(record)
  const refunds = refundsOf(facts)
  const isOutside = facts.some(({ column, word }) => column === 'outside' && word === 'returned')
  const about = { state, refunds, isOutside, amountFen: plan.amountFen }
  const found = [
    ...motion(about),
    ...money(about, rest),
    ...telling(facts, about),
    ...toldAlike(facts),
    ...(rest.isBilled ? billed(facts, about, rest, aheadMs ?? Number.POSITIVE_INFINITY) : []),
    ...(isOutside ? [] : rest.differences.map(({ attempt, kind }) => says('reconciled', `${attempt} ${kind}`))),
  ]
  return found
}

type About = {
  state: string
  refunds: Refund[]
  isOutside: boolean
  amountFen: number
}

const isPaidState = (state: string): boolean => state === 'SUCCESS' || state === 'REFUND'

const says = (rule: RestRule, why: string): Violation => ({ rule, why: `${REST_RULES[rule].en} Here: ${why}` })

function motion({ state, refunds }: About): Violation[] {
  const found = ['CLOSED', 'SUCCESS', 'REFUND'].includes(state)
    ? []
    : [says('final', `the order is ${state || 'unknown'}`)]
  const underWay = refunds.filter(({ word }) => word === 'PROCESSING')
  return [...found, ...underWay.map(({ refund }) => says('final', `refund ${refund} is PROCESSING`))]
}

function money({ state, refunds, isOutside, amountFen }: About, { money: all }: Rest): Violation[] {
  const taken = all.filter(({ takenFen }) => takenFen > 0)
  const text = taken
    .map((one) => `${one.attempt} took ${yuan(one.takenFen)} returned ${yuan(one.returnedFen)}`)
    .join(', ')
  const isOver = taken.some(({ takenFen, returnedFen }) => returnedFen > takenFen)
  if (state === 'CLOSED') {
    const isAllBack = taken.every(({ takenFen, returnedFen }) => takenFen === returnedFen)
    return isAllBack ? [] : [says('nothing-kept', text)]
  }
  if (!isPaidState(state)) return []
  const refundedFen = refunds.reduce((sum, { word, fen }) => sum + (word === 'SUCCESS' ? fen : 0), 0)
  if (taken.length === 0 || isOver) return [says('kept-once', text || 'nothing was taken')]
  const keptFen = taken.reduce((sum, { takenFen, returnedFen }) => sum + takenFen - returnedFen, 0)
  const kept = taken.filter(({ takenFen, returnedFen }) => takenFen !== returnedFen)
  // Money was returned outside of the gateway: the upstreams' books do not say which payment was the kept one.
  if (isOutside) return kept.length <= 1 ? [] : [says('kept-once', text)]
  if (kept.length > 1) return [says('kept-once', text)]
  if (keptFen !== amountFen - refundedFen) {
    return [
      says('returned-as-told', `${text}; refunds that ended in SUCCESS: ${yuan(refundedFen)} of ${yuan(amountFen)}`),
    ]
  }
  if (state === 'SUCCESS' && refundedFen > 0)
    return [says('returned-as-told', 'a refund ended in SUCCESS and the order did not become REFUND')]
  return []
}

function telling(facts: Fact[], { state, refunds }: About): Violation[] {
  const isTold = (column: Column, word: string, refund?: string): boolean =>
    facts.some(
      (fact) => fact.column === column && fact.word === word && (refund === undefined || fact.refund === refund),
    )
  const isPaymentTold = isTold('told_payment', 'SUCCESS') || isTold('told_payment', 'REFUND')
  return [
    ...(isPaidState(state) && !isPaymentTold
      ? [says('told', `the order is ${state} and the merchant was not told`)]
      : []),
    ...refunds
      .filter(({ refund, word }) => word !== 'PROCESSING' && !isTold('told_refund', word, refund))
      .map(({ refund, word }) => says('told', `refund ${refund} is ${word} and the merchant was not told`)),
  ]
}

/** Two deliveries of one notification have the same content; `note` leaves out the members that differ each time. */
function toldAlike(facts: Fact[]): Violation[] {
  const contents = new Map<string, string>()
  for (const { column, word, refund = '', note = '' } of facts) {
    if (column !== 'told_payment' && column !== 'told_refund') continue
    const key = `${column} ${refund} ${word}`
    const before = contents.get(key) ?? note
    contents.set(key, before)
    if (before !== note) return [says('told-alike', `${before} and then ${note}`)]
  }
  return []
}

type BillLines = (word: string) => Fact[]

/** Compares the bill of the day with the order; after a return outside of the gateway the bill is not judged. */
function billed(facts: Fact[], about: About, { money: all }: Rest, aheadMs: number): Violation[] {
  if (about.isOutside) return []
  const lines: BillLines = (word) => facts.filter((fact) => fact.column === 'bill' && fact.word === word)
  const takenTimes = all.filter(({ takenFen }) => takenFen > 0).length
  return [
    ...billedPayments(lines, about, { isKnownThatDay: isPaidBefore(facts, aheadMs), takenTimes }),
    ...about.refunds.flatMap((refund) => billedRefund(lines('REFUND'), refund, aheadMs)),
    ...billedOthers(lines('REFUND'), about.refunds),
  ]
}

/** Whether the merchant knew of the payment before the clocks went ahead. */
const isPaidBefore = (facts: Fact[], aheadMs: number): boolean =>
  facts.some(({ column, word, knownMs }) => {
    const isPaid = column === 'told_payment' || (column === 'query' && (word === 'SUCCESS' || word === 'REFUND'))
    return isPaid && knownMs !== null && knownMs < aheadMs
  })

function billedPayments(
  lines: BillLines,
  { state, amountFen }: About,
  { isKnownThatDay, takenTimes }: { isKnownThatDay: boolean; takenTimes: number },
): Violation[] {
  const kept = lines('PAYMENT SUCCESS')
  const [returned, reversals] = [lines('PAYMENT RETURNED').length, lines('REVERSAL').length]
  const keptTimes = isPaidState(state) ? 1 : 0
  const leastTimes = isKnownThatDay ? keptTimes : 0
  const found: Violation[] = []
  if (kept.length > keptTimes || kept.length < leastTimes) {
    found.push(says('billed', `${state}, and ${kept.length} kept payments in the bill`))
  }
  if (kept.some(({ fen }) => fen !== amountFen)) found.push(says('billed', 'a payment of another amount'))
  const notKept = takenTimes - keptTimes
  if (returned > notKept || reversals > returned) {
    found.push(
      says(
        'billed',
        `${returned} returned payments and ${reversals} reversals; the upstreams took ${notKept} payments that were not kept`,
      ),
    )
  }
  return found
}

function billedRefund(lines: Fact[], { refund, word, fen, knownMs }: Refund, aheadMs: number): Violation[] {
  const own = lines.filter((line) => line.refund === refund)
  const most = word === 'SUCCESS' ? 1 : 0
  // A refund that ended after the bill was made is in a later bill.
  const least = knownMs < aheadMs ? most : 0
  if (own.length >= least && own.length <= most && own.every((line) => line.fen === fen)) return []
  return [says('billed', `refund ${refund} of ${yuan(fen)} is ${word}, in the bill ${own.length} times`)]
}

const billedOthers = (lines: Fact[], refunds: Refund[]): Violation[] =>
  lines.every((line) => refunds.some(({ refund }) => refund === line.refund))
    ? []
    : [says('billed', 'a refund that the merchant did not ask for')]
