/**
 * Refunds that merchants ask for: the gateway's `refundOrder` and `sendRefund`, step by step. The real table and the real
 * limit (`refundRefusal` of packages/core) decide. A refund's webhook makes its job run sooner; that needs no step of its
 * own, because here the job may run at any time.
 */
import { fen, refundRefusal } from '@acopay/core'
import {
  type AttemptModel,
  copy,
  happen,
  type Mistake,
  type Model,
  type Move,
  PAID_UNITS,
  type RefundModel,
  type Rules,
  refundedUnits,
  sentBackUnits,
} from './model-state.ts'

/** The gateway writes down a refund and its job. A refusal changes nothing, so it is no move. */
export function refundAsks(model: Model, { bounds, mistake }: Rules): Move[] {
  const attempt = model.attempts.findIndex(({ booked }) => booked === 'keep')
  // A payment that was sent back from outside is booked as returned in full, and `refundRefusal` refuses every refund of it.
  if (attempt === -1 || model.refunds.length === bounds.refunds) return []
  const isCounted = ({ ours }: RefundModel): boolean => ours !== 'FAIL' && mistake !== 'refund more than was paid'
  const refundedFen = BigInt(refundedUnits(model, attempt, isCounted))
  const refunds = model.refunds.filter(isCounted).length
  const kept = { paidFen: BigInt(PAID_UNITS), paidAtMs: 0, refundedFen, refunds }
  return ([1, 2] as const).flatMap((units) => {
    if (refundRefusal(kept, fen(BigInt(units)), 0) !== null) return []
    const to = copy(model)
    if (happen(to, { event: 'refund_asked' }).isRefused) return []
    to.refunds.push({
      attempt,
      units,
      ours: 'PROCESSING',
      upstream: 'absent',
      mayLand: true,
      isOnItsWay: false,
      step: 'send',
      isInDoubt: false,
    })
    return [{ says: `the merchant asks for a refund of ${units === 1 ? 'half' : 'all'} of the payment`, to }]
  })
}

/** What can happen next to a refund that was asked for. */
export function refundMoves(model: Model, index: number, { mistake }: Rules, mayLie: boolean): Move[] {
  const one = { index, mistake, mayLie }
  const refund = model.refunds[index] as RefundModel
  const { list, add } = movesOf(model, index)
  list.push(...upstreamMoves(model, index, mayLie))
  if (refund.mayLand) {
    add('no call for', 'can be made or land any more', (own) => {
      own.mayLand = false
      own.isOnItsWay = false
    })
  }
  switch (refund.step) {
    case null:
      if (refund.ours === 'PROCESSING' && mistake !== 'forget the job that sends a refund') {
        list.push(...sendMoves(takenByJob(model, index), one, 'the job sends'))
      }
      break
    case 'send':
      // The gateway sends the call before the deadline that it wrote down, or not at all.
      if (refund.mayLand || mistake === 'send a refund after its moment') {
        list.push(...sendMoves(model, one, "the merchant's call sends"))
      } else add("the merchant's call comes too late to send", '', rest)
      break
    case 'write done':
    case 'write failed':
      add('the gateway writes down that', refund.step === 'write done' ? 'is done' : 'failed', end)
      break
    default:
      list.push(...askMoves(model, one))
  }
  return list
}

/**
 * The job writes down until when its call may land, and sends the call in the same step. A process that dies between the two
 * looks like a call that never lands.
 */
function takenByJob(model: Model, index: number): Model {
  const taken = copy(model)
  const own = taken.refunds[index] as RefundModel
  own.isInDoubt = own.mayLand
  own.mayLand = true
  return taken
}

/** One refund; the mistake that is put in; whether upstreams may answer wrongly or not at all. */
type One = { index: number; mistake: Mistake | null; mayLie: boolean }

type Change = (own: RefundModel, to: Model) => void

/** Collects the moves of one refund. Each move is a copy of the model with one change. */
function movesOf(model: Model, index: number) {
  const list: Move[] = []
  const add = (before: string, after: string, change: Change): void => {
    const to = copy(model)
    change(to.refunds[index] as RefundModel, to)
    list.push({ says: `${before} refund ${index + 1} ${after}`.trim(), to })
  }
  return { list, add }
}

/** What the upstream does without being called. */
function upstreamMoves(model: Model, index: number, mayLie: boolean): Move[] {
  const refund = model.refunds[index] as RefundModel
  const { list, add } = movesOf(model, index)
  if (refund.isOnItsWay && isEnoughLeft(model, refund)) {
    add('the call for', 'lands', (own) => take(own, isAlipay(model, own) ? 'done' : 'under way'))
  }
  if (refund.upstream === 'under way') {
    add('the upstream completes', '', (own) => take(own, 'done'))
    if (mayLie) {
      add('the upstream calls', 'off', (own) => {
        own.upstream = 'failed'
      })
    }
  }
  return list
}

const isAlipay = (model: Model, { attempt }: RefundModel): boolean => (model.attempts[attempt] as AttemptModel).isAlipay

/** No upstream sends back more than it took. */
const isEnoughLeft = (model: Model, { attempt, units }: RefundModel): boolean =>
  sentBackUnits(model, attempt) + units <= PAID_UNITS

/** One call under the refund's number. The upstream carries out a number only once. */
function sendMoves(model: Model, { index, mistake, mayLie }: One, sends: string): Move[] {
  const refund = model.refunds[index] as RefundModel
  const { list, add } = movesOf(model, index)
  if (refund.upstream === 'failed') add(sends, 'and is told that it was called off', goOn('ask after a refusal'))
  else if (refund.upstream !== 'absent') add(sends, 'once more', goOn('ask for its state'))
  else if (!isEnoughLeft(model, refund)) add(sends, 'and is refused: too little is left', goOn('ask after a refusal'))
  else {
    add(sends, 'and is told that it is done', (own) => {
      take(own, 'done')
      goOn('write done')(own)
    })
    if (!isAlipay(model, refund)) {
      add(sends, 'and is told that it is under way', (own) => {
        take(own, 'under way')
        goOn('ask for its state')(own)
      })
    }
    if (mayLie) add(sends, 'and is refused, for now', goOn('ask after a refusal'))
  }
  if (mayLie) {
    add(sends, 'and gets no answer', (own) => {
      own.isOnItsWay = own.upstream === 'absent'
      if (mistake === 'take no answer for a failed refund') goOn('write failed')(own)
      else rest(own)
    })
  }
  return list
}

/**
 * The gateway queries a refund that is under way or was refused. It believes a refusal only if the upstream does not know the
 * refund or has called it off.
 */
function askMoves(model: Model, { index, mistake, mayLie }: One): Move[] {
  const { upstream, step, isInDoubt } = model.refunds[index] as RefundModel
  const { list, add } = movesOf(model, index)
  const isDone = upstream === 'done' || (upstream === 'under way' && mistake === 'take a refund under way for done')
  const isRefused = upstream === 'failed' || (upstream === 'absent' && step === 'ask after a refusal')
  const isFinal = !isInDoubt || mistake === 'believe a refusal although an earlier call may land'
  if (isDone) add('a query finds', upstream, goOn('write done'))
  else add('a query finds', upstream, isRefused && isFinal ? goOn('write failed') : rest)
  if (mayLie) add('a query gets no answer about', '', rest)
  return list
}

/** The upstream accepts the refund: Alipay sends the money at once, WeChat Pay may do it later. */
function take(own: RefundModel, upstream: 'under way' | 'done'): void {
  own.upstream = upstream
  own.isOnItsWay = false
  forgetDoubts(own)
}

const goOn =
  (step: RefundModel['step']) =>
  (own: RefundModel): void => {
    own.step = step
    forgetDoubts(own)
  }

/** No call and no job works on the refund any more: its state is unknown, or the process died. The job sends it again. */
export function rest(own: RefundModel): void {
  goOn(null)(own)
  own.isInDoubt = false
}

/** A refund that was made, or whose end is about to be written, is certain. Keeping its flags would only add states. */
function forgetDoubts(own: RefundModel): void {
  if (own.step === 'write done' || own.step === 'write failed') own.isInDoubt = false
  if (own.upstream === 'done') own.mayLand = false
}

function end(own: RefundModel, to: Model): void {
  const isDone = own.step === 'write done'
  happen(to, { event: isDone ? 'refund_done' : 'refund_failed' })
  own.ours = isDone ? 'SUCCESS' : 'FAIL'
  own.mayLand = false
  rest(own)
}
