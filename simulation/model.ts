/**
 * The order's life beside abstract upstreams, payers, merchants and crashes: every state that can be reached, within
 * bounds. What decides is the real table (`decide` and `provesShut` of packages/core); the rest of the closing procedure
 * is stated here again, step by step, so that something can come between any two of its steps.
 */
import { type CloseReason, decide, type Happening, type OrderState, provesShut, type UpstreamState } from '@acopay/core'

/** One try to pay. `upstream` is the truth, `ours` what we have written down. */
export type AttemptModel = {
  ours: 'OPENING' | 'OPEN' | 'PAID' | 'SHUT'
  /** `returned`: it was paid, and the money has gone back, by our reversal or by our close. */
  upstream: 'absent' | 'open' | 'paid' | 'closed' | 'returned'
  /** A code: until somebody scans it the upstream calls it absent, and it can be paid. A close of it is a cancel: of a paid
   * one it sends the money back. */
  isCode: boolean
  /** Our create is still under way and may land. */
  mayLand: boolean
  booked: 'no' | 'keep' | 'reverse' | 'returned'
  notifications: number
  /** Booked while the order was being closed: asked about again, because a close of ours may send it back. */
  isAskedAgain: boolean
}

/** Somebody who shuts the order: a merchant's call (which will be answered) or the job. */
export type CloserModel = {
  isCall: boolean
  attempt: number
  step: 'query' | 'close' | 'query again'
  found: ('shut' | 'paid' | 'returned' | 'unknown')[]
}

export type Model = {
  state: OrderState
  closeReason: CloseReason | null
  isExpired: boolean
  attempts: AttemptModel[]
  closers: CloserModel[]
  hasJob: boolean
  /** A merchant was answered SUCCESS to a close. */
  toldClosed: boolean
  closesLeft: number
  crashesLeft: number
}

export type Bounds = { attempts: number; closes: number; crashes: number; notifications: number }

export const initial = (bounds: Bounds): Model => ({
  ...{ state: 'NOTPAY', closeReason: null, isExpired: false, attempts: [], closers: [], hasJob: false },
  ...{ toldClosed: false, closesLeft: bounds.closes, crashesLeft: bounds.crashes },
})

export type Move = { says: string; to: Model }

/** Mistakes that can be put in, to see that the checker finds them. */
export type Mistake =
  | 'trust the answer to a close'
  | 'take unknown for shut'
  | 'take absent for shut at once'
  | 'start payments of a closed order'
  | 'keep every payment'
  | 'forget the job'
  | 'forget to watch'
  | 'close without asking'
  | 'forget to ask again'
  | 'take returned for paid'

type Rules = { bounds: Bounds; mistake: Mistake | null }

/** Everything that may happen next. */
export function moves(model: Model, rules: Rules): Move[] {
  return [
    ...payerMoves(model, rules),
    ...merchantMoves(model, rules),
    ...faultMoves(model),
    ...progressMoves(model, rules, true),
  ]
}

/** Only what happens by itself once faults, payers and merchants rest; an upstream then does what it says. */
export const restMoves = (model: Model, rules: Rules): Move[] => progressMoves(model, rules, false)

const copy = (model: Model): Model => structuredClone(model)

/** The event goes through the table; whether it was allowed. */
function happen(model: Model, happening: Happening): { isRefused: boolean; money: 'keep' | 'reverse' | null } {
  const order = {
    state: model.state,
    closeReason: model.closeReason,
    attempts: model.attempts.length,
    expiresAtMs: model.isExpired ? 0 : 1,
  }
  const { refused, steps } = decide(order, happening, 0)
  let money: 'keep' | 'reverse' | null = null
  for (const step of steps) {
    if (step.to !== model.state && step.to === 'CLOSING') model.hasJob = true
    model.state = step.to
    model.closeReason = step.closeReason
    money = step.money ?? money
  }
  if (model.state === 'CLOSED') model.hasJob = false
  return { isRefused: refused !== null, money }
}

function payerMoves(model: Model, { bounds, mistake }: Rules): Move[] {
  const list: Move[] = []
  if (model.attempts.length < bounds.attempts) {
    for (const isCode of [false, true]) {
      const to = copy(model)
      const refused = happen(to, { event: 'pay_started' }).isRefused
      const isAllowed = !refused || (mistake === 'start payments of a closed order' && model.state === 'CLOSED')
      if (!isAllowed) continue
      to.attempts.push({
        ...{ ours: 'OPENING', upstream: 'absent', isCode: false, mayLand: true, booked: 'no', notifications: 0 },
        isAskedAgain: false,
      })
      if (isCode) (to.attempts.at(-1) as AttemptModel).isCode = true
      list.push({ says: `a payer starts a payment${isCode ? ' with a code' : ''}`, to })
    }
  }
  model.attempts.forEach((attempt, index) => {
    const isPayable =
      attempt.upstream === 'open' || (attempt.isCode && !attempt.mayLand && attempt.upstream === 'absent')
    if (!isPayable) return
    const to = copy(model)
    Object.assign(to.attempts[index] as AttemptModel, { upstream: 'paid', notifications: bounds.notifications })
    list.push({ says: `the payer pays attempt ${index + 1}`, to })
  })
  return list
}

function merchantMoves(model: Model, { mistake }: Rules): Move[] {
  const list: Move[] = []
  if (!model.isExpired) {
    const to = copy(model)
    to.isExpired = true
    happen(to, { event: 'expired' })
    list.push({ says: 'the order expires', to })
  }
  if (model.closesLeft > 0) {
    const to = copy(model)
    to.closesLeft -= 1
    const before = to.state
    happen(to, { event: 'close_asked', by: 'MERCHANT' })
    if (mistake === 'close without asking' && to.state === 'CLOSING') happen(to, { event: 'all_shut' })
    if (mistake === 'forget the job') to.hasJob = false
    if (to.state === 'CLOSED') to.toldClosed = true
    if (to.state === 'CLOSING' && before === 'NOTPAY') to.closers.push(newCloser(true))
    list.push({ says: 'the merchant closes', to })
  }
  return list
}

const newCloser = (isCall: boolean): CloserModel => ({ isCall, attempt: 0, step: 'query', found: [] })

function faultMoves(model: Model): Move[] {
  const list: Move[] = []
  if (model.crashesLeft > 0 && model.closers.length > 0) {
    const to = copy(model)
    to.crashesLeft -= 1
    to.closers = []
    list.push({ says: 'the process dies', to })
  }
  model.attempts.forEach(({ notifications }, index) => {
    if (notifications === 0) return
    const to = copy(model)
    ;(to.attempts[index] as AttemptModel).notifications -= 1
    list.push({ says: `a notification of attempt ${index + 1} is lost`, to })
  })
  return list
}

function progressMoves(model: Model, rules: Rules, mayLie: boolean): Move[] {
  const list: Move[] = []
  model.attempts.forEach((attempt, index) => {
    list.push(...attemptMoves(model, attempt, index, rules, mayLie))
  })
  if (model.hasJob && model.closers.length === 0 && model.state === 'CLOSING') {
    const to = copy(model)
    to.closers.push(newCloser(false))
    list.push({ says: 'the job takes over', to })
  }
  model.closers.forEach((_closer, index) => {
    list.push(...closerMoves(model, index, rules, mayLie))
  })
  return list
}

function attemptMoves(model: Model, attempt: AttemptModel, index: number, rules: Rules, mayLie: boolean): Move[] {
  const list: Move[] = []
  const add = (says: string, change: (own: AttemptModel, to: Model) => void): void => {
    const to = copy(model)
    change(to.attempts[index] as AttemptModel, to)
    list.push({ says: `${says} (attempt ${index + 1})`, to })
  }
  const lands = (own: AttemptModel): void => {
    own.mayLand = false
    if (!own.isCode && own.upstream === 'absent') own.upstream = 'open'
  }
  if (attempt.mayLand) {
    add('the create lands and is answered', (own) => {
      lands(own)
      if (own.ours === 'OPENING') own.ours = 'OPEN'
    })
    if (mayLie) add('the create lands, its answer is lost', lands)
    add('the create can no longer land', (own) => {
      own.mayLand = false
      own.isCode = false
    })
  }
  if (attempt.notifications > 0) {
    add('a notification is heard', (own, to) => {
      own.notifications -= 1
      takeMoney(to, index, rules, false)
    })
  }
  // The other codes of an order that was paid are shut by its job, whatever becomes of the money.
  const wasPaid = model.state === 'SUCCESS' || model.state === 'REFUND'
  const isWatched = rules.mistake !== 'forget to watch' && (attempt.ours === 'SHUT' || wasPaid)
  const isTaken = attempt.upstream === 'paid' || attempt.upstream === 'returned'
  const isReturned = attempt.upstream === 'returned'
  if (isWatched && isTaken && attempt.booked === 'no') {
    add(`the watch finds it ${attempt.upstream}`, (_own, to) => takeMoney(to, index, rules, isReturned))
  }
  // Two minutes later no close of ours is under way any more.
  if (attempt.isAskedAgain && model.closers.length === 0) {
    add(`it is asked about again and found ${attempt.upstream}`, (own, to) => {
      own.isAskedAgain = false
      takeMoney(to, index, rules, isReturned)
    })
  }
  // An attempt that is open on an open order is asked about as well: by its own job, or when the order expires.
  if (model.state === 'NOTPAY' && isTaken && attempt.booked === 'no') {
    add(`it is asked for and found ${attempt.upstream}`, (_own, to) => takeMoney(to, index, rules, isReturned))
  }
  if (attempt.booked === 'reverse') {
    add('the money is back', (own) => {
      own.booked = 'returned'
      own.upstream = 'returned'
    })
  }
  return list
}

/** Books what an upstream took; `isReturned`: and has sent back already. What was kept and has gone back is kept no more. */
function takeMoney(model: Model, index: number, { mistake }: Rules, isReturned: boolean): void {
  const attempt = model.attempts[index] as AttemptModel
  const isBack = isReturned && mistake !== 'take returned for paid'
  if (attempt.booked === 'keep' && isBack) {
    happen(model, { event: 'money_returned' })
    attempt.booked = 'returned'
  }
  if (attempt.booked !== 'no') return
  attempt.ours = 'PAID'
  const isClosing = model.state === 'CLOSING'
  const { money } = happen(model, { event: 'money_arrived', isExact: !isBack })
  attempt.booked = isBack ? 'returned' : mistake === 'keep every payment' ? 'keep' : (money ?? 'no')
  attempt.isAskedAgain = attempt.booked === 'keep' && isClosing && mistake !== 'forget to ask again'
  if (model.state === 'SUCCESS') model.hasJob = false
}

const says = ({ upstream }: AttemptModel): UpstreamState => upstream

/** Query, close, query again, for each attempt; then what was found is written down in one step. */
function closerMoves(model: Model, index: number, rules: Rules, mayLie: boolean): Move[] {
  const closer = model.closers[index] as CloserModel
  const number = closer.attempt + 1
  const who = closer.isCall ? "the merchant's call" : 'the job'
  const attempt = model.attempts[closer.attempt]
  if (attempt === undefined) return [settle(model, index, rules, who)]
  const list: Move[] = []
  const add = (text: string, change: (own: AttemptModel, self: CloserModel) => void): void => {
    const to = copy(model)
    change(to.attempts[closer.attempt] as AttemptModel, to.closers[index] as CloserModel)
    list.push({ says: `${who} ${text} attempt ${number}`, to })
  }
  const found = (self: CloserModel, what: CloserModel['found'][number]): void => {
    self.found.push(what)
    self.attempt += 1
    self.step = 'query'
  }
  const unknown: CloserModel['found'][number] = rules.mistake === 'take unknown for shut' ? 'shut' : 'unknown'
  // Looked at when it begins: what is written down meanwhile it does not see.
  if (closer.step === 'query' && (attempt.ours === 'SHUT' || attempt.ours === 'PAID')) {
    add('need not ask about', (_own, self) => found(self, attempt.ours === 'PAID' ? 'paid' : 'shut'))
    return list
  }
  if (mayLie) add(`gets no answer about`, (_own, self) => found(self, unknown))
  if (closer.step === 'close') {
    if (attempt.isCode && attempt.upstream === 'paid') {
      add('cancels, which sends the money back,', (own, self) => {
        own.upstream = 'returned'
        found(self, 'returned')
      })
      if (mayLie) {
        add('cancels, which sends the money back, and is not told, of', (own, self) => {
          own.upstream = 'returned'
          self.step = 'query again'
        })
      }
      return list
    }
    add('closes', (own, self) => {
      if (own.upstream === 'open') own.upstream = 'closed'
      if (rules.mistake === 'trust the answer to a close') found(self, 'shut')
      else self.step = 'query again'
    })
    if (mayLie) {
      add('is told yes, and nothing is done, closing', (_own, self) => {
        if (rules.mistake === 'trust the answer to a close') found(self, 'shut')
        else self.step = 'query again'
      })
    }
    return list
  }
  add(closer.step === 'query' ? 'asks about' : 'asks again about', (own, self) => {
    const answer = says(own)
    const isPastLanding = rules.mistake === 'take absent for shut at once' || own.ours === 'OPEN' || !own.mayLand
    if (answer === 'paid' || answer === 'returned') found(self, answer)
    else if (closer.step === 'query' && answer !== 'closed') self.step = 'close'
    else found(self, provesShut(answer, isPastLanding ? 1 : 0, 1) ? 'shut' : unknown)
  })
  return list
}

function settle(model: Model, index: number, rules: Rules, who: string): Move {
  const to = copy(model)
  const [closer] = to.closers.splice(index, 1) as [CloserModel]
  closer.found.forEach((what, attempt) => {
    const own = to.attempts[attempt] as AttemptModel
    if (what === 'paid' || what === 'returned') takeMoney(to, attempt, rules, what === 'returned')
    if (what === 'shut' && own.ours !== 'PAID') own.ours = 'SHUT'
  })
  if (to.attempts.every(({ ours }) => ours === 'SHUT' || ours === 'PAID')) happen(to, { event: 'all_shut' })
  if (closer.isCall && to.state === 'CLOSED') to.toldClosed = true
  return { says: `${who} writes down what was found`, to }
}
