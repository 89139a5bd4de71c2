/**
 * The moves of the model: one order beside abstract upstreams, payers, merchants and crashes, within bounds. The real table
 * decides (`decide`, `provesClosed` and `refundRefusal` of packages/core). The rest of the closing procedure
 * (model-close.ts) and of refunds (model-refund.ts) is restated step by step, so that any other move can come between two
 * steps.
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

/** All moves that are possible next. */
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

/** The moves of the gateway and the upstreams alone: no faults, payers or merchants, and upstreams answer truthfully. */
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
        webhooks: 0,
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
      add('the payer pays', { upstream: 'paid', isGivenAway: false, webhooks: bounds.webhooks })
    }
    if (model.secondPaymentsLeft > 0 && attempt.upstream === 'paid' && attempt.booked === 'keep') {
      const to = add('another payer also pays', { second: 'reverse' })
      to.secondPaymentsLeft -= 1
      happen(to, { event: 'money_arrived', isExact: true })
    }
  })
  return list
}

/** The upstream or the merchant's back office sends the rest of a payment back. With WeChat Pay only the bill shows it. */
function outsideMoves(model: Model): Move[] {
  if (model.outsideReturnsLeft === 0) return []
  return model.attempts.flatMap(({ upstream, isAlipay, booked }, index) => {
    const isUnderWay = model.refunds.some((refund) => refund.attempt === index && refund.upstream === 'under way')
    const isLeft = upstream === 'paid' && sentBackUnits(model, index) < PAID_UNITS && !isUnderWay
    if (!isLeft || (!isAlipay && booked !== 'keep')) return []
    const to = copy(model)
    to.outsideReturnsLeft -= 1
    sendBack(to.attempts[index] as AttemptModel, 'outside')
    return [{ says: `the payment of attempt ${index + 1} is sent back from outside`, to }]
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
  model.attempts.forEach(({ webhooks }, index) => {
    if (webhooks === 0) return
    const to = copy(model)
    ;(to.attempts[index] as AttemptModel).webhooks -= 1
    list.push({ says: `a webhook of attempt ${index + 1} is lost`, to })
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

/** What the gateway and the upstream do with one attempt. */
function attemptMoves(model: Model, index: number, rules: Rules, mayLie: boolean): Move[] {
  const { webhooks } = model.attempts[index] as AttemptModel
  const { list, add } = movesOf(model, index)
  list.push(...landingMoves(model, index, mayLie))
  if (webhooks > 0) {
    add('a webhook arrives', (own, to) => {
      own.webhooks -= 1
      takeMoney(to, index, rules, false)
    })
  }
  list.push(...queryMoves(model, index, rules), ...reversalMoves(model, index, rules))
  return list
}

type Change = (own: AttemptModel, to: Model) => void

/** Collects the moves of one attempt. Each move is a copy of the model with one change. */
function movesOf(model: Model, index: number) {
  const list: Move[] = []
  const add = (says: string, change: Change): void => {
    const to = copy(model)
    change(to.attempts[index] as AttemptModel, to)
    list.push({ says: `${says} (attempt ${index + 1})`, to })
  }
  return { list, add }
}

/** A create call that is under way lands, or can no longer land. */
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

/** What a query finds: a query of the watch, or of the job of an attempt that is open on an open order. */
function queryMoves(model: Model, index: number, rules: Rules): Move[] {
  const attempt = model.attempts[index] as AttemptModel
  const { list, add } = movesOf(model, index)
  // A paid order's job closes the order's other attempts, even if the money goes back later.
  const wasPaid = model.state === 'SUCCESS' || model.state === 'REFUND'
  const isWatched = rules.mistake !== 'forget to watch' && (attempt.ours === 'SHUT' || wasPaid)
  const isNews = (attempt.upstream === 'paid' || attempt.upstream === 'returned') && attempt.booked === 'no'
  const found = saysOf(model, index)
  const take: Change = (_own, to) => takeMoney(to, index, rules, found === 'returned')
  if (isWatched && isNews) add(`the watch finds it ${found}`, take)
  // If a payer scans a code after the order was closed, the watch finds the trade and closes it.
  if (isWatched && attempt.upstream === 'open' && rules.mistake !== 'leave open what the watch finds open') {
    add('the watch finds it open and closes it', (own) => {
      own.upstream = 'closed'
      own.isGivenAway = false
    })
  }
  if (isWatched && rules.mistake === 'send back what the watch finds paid' && attempt.upstream === 'paid') {
    add('the watch sends it back', (own) => sendBack(own, 'us'))
  }
  // The gateway also queries an open attempt of an open order: by the attempt's job, or when the order expires.
  if (model.state === 'NOTPAY' && isNews) add(`a query finds it ${found}`, take)
  return list
}

/** The gateway's reversals reach the payer. */
function reversalMoves(model: Model, index: number, { mistake }: Rules): Move[] {
  const { booked, second } = model.attempts[index] as AttemptModel
  const { list, add } = movesOf(model, index)
  if (booked === 'reverse') {
    add('the reversal reaches the payer', (own) => {
      own.booked = 'returned'
      if (own.upstream === 'paid') sendBack(own, 'us')
    })
  }
  if (second === 'reverse') {
    add("the second payment's reversal reaches the payer", (own) => {
      own.second = 'returned'
      if (mistake === 'reverse the kept payment instead of the second') sendBack(own, 'us')
    })
  }
  return list
}
