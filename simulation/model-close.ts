/**
 * The closing procedure, step by step. A closer (the merchant's call or the job) queries each attempt, closes it, queries it
 * again, and writes the results down.
 */
import { provesClosed, type UpstreamState } from '@acopay/core'
import {
  type AttemptModel,
  type CloserModel,
  copy,
  happen,
  type Model,
  type Move,
  type Rules,
  saysOf,
  sendBack,
  sentBackUnits,
  takeMoney,
} from './model-state.ts'

export const newCloser = (isCall: boolean): CloserModel => ({
  isCall,
  attempt: 0,
  step: 'query',
  wasAbsent: false,
  found: [],
})

/** One closer at one attempt. */
type Closing = {
  model: Model
  closer: CloserModel
  attempt: AttemptModel
  rules: Rules
  mayLie: boolean
  /** Adds a move: a copy of the model with one change. */
  add: (text: string, change: (own: AttemptModel, self: CloserModel) => void) => void
}

type Found = CloserModel['found'][number]

/** Query, close, query again, for each attempt. One last step writes all results down. */
export function closerMoves(model: Model, index: number, rules: Rules, mayLie: boolean): Move[] {
  const closer = model.closers[index] as CloserModel
  const who = closer.isCall ? "the merchant's call" : 'the job'
  const attempt = model.attempts[closer.attempt]
  if (attempt === undefined) return [settle(model, index, rules, who)]
  const list: Move[] = []
  const add: Closing['add'] = (text, change) => {
    const to = copy(model)
    change(to.attempts[closer.attempt] as AttemptModel, to.closers[index] as CloserModel)
    list.push({ says: `${who} ${text} attempt ${closer.attempt + 1}`, to })
  }
  const closing = { model, closer, attempt, rules, mayLie, add }
  // The closer reads our state of an attempt only before its first query. It does not see later changes.
  if (closer.step === 'query' && (attempt.ours === 'SHUT' || attempt.ours === 'PAID')) {
    add('need not query', (_own, self) => found(self, attempt.ours === 'PAID' ? 'paid' : 'closed'))
    return list
  }
  if (mayLie) add('gets no answer about', (_own, self) => found(self, unknownIn(rules)))
  if (closer.step === 'close') addClose(closing)
  else addQuery(closing)
  return list
}

const unknownIn = ({ mistake }: Rules): Found => (mistake === 'take unknown for closed' ? 'closed' : 'unknown')

/** The closer notes its result and goes on to the next attempt. */
function found(self: CloserModel, what: Found): void {
  self.found.push(what)
  self.attempt += 1
  self.step = 'query'
  self.wasAbsent = false
}

function addClose({ model, closer, attempt, rules, mayLie, add }: Closing): void {
  // Alipay's cancel: if the trade was paid in the meantime, it sends the whole payment back.
  const isWhole = sentBackUnits(model, closer.attempt) === 0
  if (rules.mistake === 'close by cancel' && attempt.isAlipay && attempt.upstream === 'paid' && isWhole) {
    add('cancels, which sends the money back,', (own, self) => {
      sendBack(own, 'us')
      self.step = 'query again'
    })
    return
  }
  const goOn = (self: CloserModel): void => {
    if (rules.mistake === 'trust the answer to a close') found(self, 'closed')
    else self.step = 'query again'
  }
  add('closes', (own, self) => {
    self.wasAbsent = own.upstream === 'code'
    if (own.upstream === 'open') Object.assign(own, { upstream: 'closed', isGivenAway: false })
    goOn(self)
  })
  if (mayLie) {
    add('is told yes, though nothing happens, when closing', (_own, self) => {
      self.wasAbsent = false
      goOn(self)
    })
  }
}

function addQuery({ model, closer, rules, add }: Closing): void {
  const answer = saysOf(model, closer.attempt)
  const isFirst = closer.step === 'query'
  // The payer scanned the code between the close and this query: the closer closes it again.
  const isScanned = closer.wasAbsent && answer === 'open'
  const isToClose = (isFirst && answer !== 'closed') || isScanned
  add(isFirst ? 'queries' : 'queries again', (own, self) => {
    if (answer === 'paid' || answer === 'returned') found(self, answer)
    else if (isToClose) self.step = 'close'
    else found(self, isProven(own, answer, rules) ? 'closed' : unknownIn(rules))
    own.isGivenAway = !isFirst && own.upstream === 'code'
  })
}

function isProven({ ours, mayLand }: AttemptModel, answer: UpstreamState, { mistake }: Rules): boolean {
  const isPastLanding = mistake === 'take absent for closed at once' || ours === 'OPEN' || !mayLand
  return provesClosed(answer, isPastLanding ? 1 : 0, 1)
}

function settle(model: Model, index: number, rules: Rules, who: string): Move {
  const to = copy(model)
  const [closer] = to.closers.splice(index, 1) as [CloserModel]
  closer.found.forEach((what, attempt) => {
    const own = to.attempts[attempt] as AttemptModel
    if (what === 'paid' || what === 'returned') takeMoney(to, attempt, rules, what === 'returned')
    if (what === 'closed' && own.ours !== 'PAID') own.ours = 'SHUT'
  })
  if (to.attempts.every(({ ours }) => ours === 'SHUT' || ours === 'PAID')) happen(to, { event: 'all_shut' })
  if (closer.isCall && to.state === 'CLOSED') to.toldClosed = true
  return { says: `${who} writes the results down`, to }
}
