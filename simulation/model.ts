/**
 * The order's life beside abstract upstreams, payers, merchants and crashes: every state that can be reached, within
 * bounds. What decides is the real table (`decide`, `provesClosed` and `refundRefusal` of packages/core); the rest of the
 * closing procedure (model-close.ts) and of refunds (model-refund.ts) is stated again, step by step, so that something can
 * come between any two of its steps.
 */
import { closerMoves, newCloser } from './model-close.ts'
import { refundAsks, refundMoves, rest } from './model-refund.ts'
import {
  type AttemptModel,
  copy,
  happen,
  type Model,
  type Move,
  PAID_UNITS,
  type Rules,
  saysOf,
  sendBack,
  sentBackUnits,
  takeMoney,
} from './model-state.ts'

/** Everything that may happen next. */
export function moves(model: Model, rules: Rules): Move[] {
  return [
    ...payerMoves(model, rules),
    ...outsideMoves(model),
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
    for (const isAlipay of [false, true]) {
      const to = copy(model)
      const refused = happen(to, { event: 'pay_started' }).isRefused
      const isAllowed = !refused || (mistake === 'start payments of a closed order' && model.state === 'CLOSED')
      if (!isAllowed) continue
      to.attempts.push({
        ours: 'OPENING',
        upstream: 'absent',
        isAlipay,
        isGivenAway: false,
        mayLand: true,
        booked: 'no',
        wasKept: false,
        sentBackBy: null,
        notifications: 0,
        second: 'none',
      })
      list.push({ says: `a payer starts a payment with ${isAlipay ? 'Alipay' : 'WeChat Pay'}`, to })
    }
  }
  model.attempts.forEach((attempt, index) => {
    const add = (says: string, change: Partial<AttemptModel>): Model => {
      const to = copy(model)
      Object.assign(to.attempts[index] as AttemptModel, change)
      list.push({ says: `${says} attempt ${index + 1}`, to })
      return to
    }
    if (attempt.upstream === 'code') add('the payer scans', { upstream: 'open' })
    if (attempt.upstream === 'open') {
      add('the payer pays', { upstream: 'paid', isGivenAway: false, notifications: bounds.notifications })
    }
    if (model.secondPaymentsLeft > 0 && attempt.upstream === 'paid' && attempt.booked === 'keep') {
      const to = add('another payer, of whom we hear, pays', { second: 'reverse' })
      to.secondPaymentsLeft -= 1
      happen(to, { event: 'money_arrived', isExact: true })
    }
  })
  return list
}

/** The upstream or the merchant's back office sends back what is left. What WeChat Pay returned only its bill tells. */
function outsideMoves(model: Model): Move[] {
  if (model.outsideReturnsLeft === 0) return []
  return model.attempts.flatMap(({ upstream, isAlipay, booked }, index) => {
    const isUnderWay = model.refunds.some((refund) => refund.attempt === index && refund.upstream === 'under way')
    const isLeft = upstream === 'paid' && sentBackUnits(model, index) < PAID_UNITS && !isUnderWay
    if (!isLeft || (!isAlipay && booked !== 'keep')) return []
    const to = copy(model)
    to.outsideReturnsLeft -= 1
    sendBack(to.attempts[index] as AttemptModel, 'outside')
    return [{ says: `what attempt ${index + 1} was paid with is sent back from outside`, to }]
  })
}

function merchantMoves(model: Model, rules: Rules): Move[] {
  const list: Move[] = []
  if (!model.isExpired) {
    const to = copy(model)
    to.isExpired = true
    happen(to, { event: 'expired' })
    list.push({ says: 'the order expires', to })
  }
  if (model.closesLeft > 0) list.push({ says: 'the merchant closes', to: closed(model, rules) })
  return list
}

function closed(model: Model, { mistake }: Rules): Model {
  const to = copy(model)
  to.closesLeft -= 1
  const before = to.state
  happen(to, { event: 'close_asked', by: 'MERCHANT' })
  if (mistake === 'close without asking' && to.state === 'CLOSING') happen(to, { event: 'all_shut' })
  if (mistake === 'forget the job') to.hasJob = false
  if (mistake === 'close a paid order by sending its money back') {
    for (const attempt of to.attempts) if (attempt.booked === 'keep') sendBack(attempt, 'us')
  }
  if (to.state === 'CLOSED') to.toldClosed = true
  if (to.state === 'CLOSING' && before === 'NOTPAY') to.closers.push(newCloser(true))
  return to
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
  model.attempts.forEach((_attempt, index) => {
    list.push(...attemptMoves(model, index, rules, mayLie))
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

/** What happens by itself to one attempt. */
function attemptMoves(model: Model, index: number, rules: Rules, mayLie: boolean): Move[] {
  const { notifications } = model.attempts[index] as AttemptModel
  const { list, add } = movesOf(model, index)
  list.push(...landingMoves(model, index, mayLie))
  if (notifications > 0) {
    add('a notification is heard', (own, to) => {
      own.notifications -= 1
      takeMoney(to, index, rules, false)
    })
  }
  list.push(...queryMoves(model, index, rules), ...reversalMoves(model, index, rules))
  return list
}

type Change = (own: AttemptModel, to: Model) => void

/** Collects moves of one attempt: each is a copy with one change. */
function movesOf(model: Model, index: number) {
  const list: Move[] = []
  const add = (says: string, change: Change): void => {
    const to = copy(model)
    change(to.attempts[index] as AttemptModel, to)
    list.push({ says: `${says} (attempt ${index + 1})`, to })
  }
  return { list, add }
}

/** What becomes of a create that is under way. */
function landingMoves(model: Model, index: number, mayLie: boolean): Move[] {
  const { list, add } = movesOf(model, index)
  if (!model.attempts[index]?.mayLand) return list
  const lands = (own: AttemptModel): void => {
    own.mayLand = false
    if (own.upstream === 'absent') own.upstream = own.isAlipay ? 'code' : 'open'
  }
  add('the create lands and is answered', (own) => {
    lands(own)
    if (own.ours === 'OPENING') own.ours = 'OPEN'
  })
  if (mayLie) add('the create lands, its answer is lost', lands)
  add('the create can no longer land', (own) => {
    own.mayLand = false
  })
  return list
}

/** What a query finds: the watch's, or one about an attempt that is open on an open order. */
function queryMoves(model: Model, index: number, rules: Rules): Move[] {
  const attempt = model.attempts[index] as AttemptModel
  const { list, add } = movesOf(model, index)
  // The other codes of an order that was paid are shut by its job, whatever becomes of the money.
  const wasPaid = model.state === 'SUCCESS' || model.state === 'REFUND'
  const isWatched = rules.mistake !== 'forget to watch' && (attempt.ours === 'SHUT' || wasPaid)
  const isNews = (attempt.upstream === 'paid' || attempt.upstream === 'returned') && attempt.booked === 'no'
  const found = saysOf(model, index)
  const take: Change = (_own, to) => takeMoney(to, index, rules, found === 'returned')
  if (isWatched && isNews) add(`the watch finds it ${found}`, take)
  // A code that is scanned after its order was closed is met by the watch, and closed before it is paid.
  if (isWatched && attempt.upstream === 'open' && rules.mistake !== 'leave open what the watch meets') {
    add('the watch meets it open and closes it', (own) => {
      own.upstream = 'closed'
      own.isGivenAway = false
    })
  }
  if (isWatched && rules.mistake === 'send back what the watch finds paid' && attempt.upstream === 'paid') {
    add('the watch sends it back', (own) => sendBack(own, 'us'))
  }
  // An attempt that is open on an open order is asked about as well: by its own job, or when the order expires.
  if (model.state === 'NOTPAY' && isNews) add(`it is asked for and found ${found}`, take)
  return list
}

/** The payments that the gateway itself sends back arrive with the payer. */
function reversalMoves(model: Model, index: number, { mistake }: Rules): Move[] {
  const { booked, second } = model.attempts[index] as AttemptModel
  const { list, add } = movesOf(model, index)
  if (booked === 'reverse') {
    add('the money is back', (own) => {
      own.booked = 'returned'
      if (own.upstream === 'paid') sendBack(own, 'us')
    })
  }
  if (second === 'reverse') {
    add('the second payment is back', (own) => {
      own.second = 'returned'
      if (mistake === 'reverse the kept payment instead of the second') sendBack(own, 'us')
    })
  }
  return list
}
