/**
 * The order's life beside abstract upstreams, payers, merchants and crashes: every state that can be reached, within
 * bounds. What decides is the real table (`decide`, `provesShut` and `refundRefusal` of packages/core); the rest of the
 * closing procedure (model-close.ts) and of refunds (model-refund.ts) is stated again, step by step, so that something can
 * come between any two of its steps.
 */
import { closerMoves, newCloser } from './model-close.ts'
import { refundAsks, refundMoves, rest } from './model-refund.ts'
import {
  type AttemptModel,
  copy,
  happen,
  isRefundInDoubt,
  type Model,
  type Move,
  type Rules,
  saysOf,
  takeMoney,
} from './model-state.ts'

/** Everything that may happen next. */
export function moves(model: Model, rules: Rules): Move[] {
  return [
    ...payerMoves(model, rules),
    ...merchantMoves(model, rules),
    ...refundAsks(model, rules),
    ...faultMoves(model),
    ...progressMoves(model, rules, true),
  ]
}

/** Only what happens by itself once faults, payers and merchants rest; an upstream then does what it says. */
export const restMoves = (model: Model, rules: Rules): Move[] => progressMoves(model, rules, false)

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

function faultMoves(model: Model): Move[] {
  const list: Move[] = []
  const isAtWork = model.closers.length > 0 || model.refunds.some(({ step }) => step !== null)
  if (model.crashesLeft > 0 && isAtWork) {
    const to = copy(model)
    to.crashesLeft -= 1
    to.closers = []
    for (const refund of to.refunds) rest(refund)
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
  model.refunds.forEach((_refund, index) => {
    list.push(...refundMoves(model, index, rules, mayLie))
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
  const found = saysOf(model, index)
  const isReturned = found === 'returned'
  if (isWatched && isTaken && attempt.booked === 'no') {
    add(`the watch finds it ${found}`, (_own, to) => takeMoney(to, index, rules, isReturned))
  }
  // Two minutes later no close of ours is under way any more. Where a refund may be what sent it back, it is asked later.
  const isUnsure =
    isReturned && isRefundInDoubt(model, index) && rules.mistake !== 'ask again only once while a refund is in doubt'
  if (attempt.isAskedAgain && model.closers.length === 0 && !isUnsure) {
    add(`it is asked about again and found ${found}`, (own, to) => {
      own.isAskedAgain = false
      takeMoney(to, index, rules, isReturned)
    })
  }
  // An attempt that is open on an open order is asked about as well: by its own job, or when the order expires.
  if (model.state === 'NOTPAY' && isTaken && attempt.booked === 'no') {
    add(`it is asked for and found ${found}`, (_own, to) => takeMoney(to, index, rules, isReturned))
  }
  if (attempt.booked === 'reverse') {
    add('the money is back', (own) => {
      own.booked = 'returned'
      own.upstream = 'returned'
    })
  }
  return list
}
