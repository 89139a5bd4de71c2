/**
 * Two upstreams with their quirks, and the network to them. What they know outlives every process of ours; a call that
 * was sent arrives although its caller has died.
 */
import type { Channel, ChannelName, NotificationReply, UpstreamPayment } from '@acopay/channels'
import type { Random } from './random.ts'
import type { Process, Scheduler } from './scheduler.ts'

export const FAULTS = [
  'request lost',
  'request late',
  'answer lost',
  'answer late',
  'failed before',
  'failed after',
  'create lands late',
  'close shown late',
  'close does nothing',
  'refund under way',
  'refund refused',
  'notification lost',
  'notification doubled',
  'notification late',
  'paid although closed',
  'paid while cancelled',
  'wrong amount',
  'refund closed',
] as const
export type Fault = (typeof FAULTS)[number]

export const VERBS = ['open', 'query', 'close', 'refund', 'queryRefund'] as const
export type Verb = (typeof VERBS)[number]

/** What can go wrong with which call. */
const SENSIBLE: Partial<Record<Fault, readonly Verb[]>> = {
  'request lost': VERBS,
  // Longer than we wait, and not longer than it may take.
  'request late': ['close', 'refund'],
  'answer lost': VERBS,
  'answer late': VERBS,
  'failed before': VERBS,
  'failed after': VERBS,
  'create lands late': ['open'],
  'close shown late': ['close'],
  'close does nothing': ['close'],
  'refund under way': ['refund'],
  'refund refused': ['refund'],
  'refund closed': ['refund'],
}

export type Trade = {
  no: string
  channel: ChannelName
  fen: bigint
  expireMs: number
  state: 'open' | 'closed' | 'paid'
  /** Handed out and not scanned: the upstream calls it absent, and it can be paid. */
  isCode: boolean
  /** It began as a code, and when it became a trade. */
  wasCode: boolean
  tradeSinceMs: number
  shownOpenUntilMs: number
  payment: (UpstreamPayment & { atMs: number }) | null
  /** Until then there is no money to refund with. */
  poorUntilMs: number
  /** `closes`: it ends without sending anything, and its number is used up. */
  refunds: { no: string; fen: bigint; doneMs: number; closes?: true }[]
}

export type Upstream = {
  channelOf: (process: Process, name: ChannelName) => Channel
  /** Whether it is a mere code, which can be paid only by who has seen it. */
  isCode: (no: string) => boolean
  /** The payer opens a code in the wallet. */
  scan: (no: string) => boolean
  /** The payer pays; false where the upstream refuses. */
  pay: (no: string) => boolean
  trades: () => Trade[]
  /** Nothing goes wrong any more. */
  rest: () => void
}

const CREATE_LANDS_MS = 60_000
const WATCH_MS = 10 * 60_000

type Told = {
  /** Calls us: a process hears it, or none is there. */
  notify: (channel: ChannelName, body: string) => Promise<NotificationReply | null>
  /** That a fault happened in a phase, for the coverage and the story. */
  fault: (fault: Fault, phase: Verb | 'notify' | 'pay') => void
  quirk: (what: string) => void
  story: (line: string) => void
  waiting: () => void
}

export function upstream(
  schedule: Scheduler,
  dice: Random,
  chosen: { faults: Fault[]; rate: number },
  told: Told,
): Upstream {
  const trades = new Map<string, Trade>()
  let isResting = false
  const now = schedule.nowMs
  const short = (no: string): string => no.slice(-6)

  /** Attempts with a refund that was sent and has not arrived yet. */
  const onTheWay = new Set<string>()

  function draw(verb: Verb, no: string): Fault | null {
    // A refusal while an earlier call is still on its way is what tempts to call a refund failed.
    const isTempting = verb === 'refund' && onTheWay.has(no) && chosen.faults.includes('refund refused')
    if (isTempting && !isResting && dice.isOneIn(0.5)) {
      told.fault('refund refused', verb)
      return 'refund refused'
    }
    const able = chosen.faults.filter((fault) => SENSIBLE[fault]?.includes(verb))
    // What is seldom asked goes wrong more often, or it never would.
    const rate = verb === 'queryRefund' ? Math.max(chosen.rate, 0.6) : chosen.rate
    if (isResting || able.length === 0 || !dice.isOneIn(rate)) return null
    const fault = dice.pick(able)
    told.fault(fault, verb)
    return fault
  }
  const drawOne = (fault: Fault, phase: 'notify' | 'pay'): boolean => {
    const isIt = !isResting && chosen.faults.includes(fault) && dice.isOneIn(2 * chosen.rate)
    if (isIt) told.fault(fault, phase)
    return isIt
  }

  const later = (ms: number, run: () => void): void => void schedule.at(now() + ms, null, run)

  /** One exchange: it is sent, arrives, is done, and is answered; each may go wrong. */
  function call<Answer extends { kind: string }>(
    process: Process,
    verb: Verb,
    no: string,
    work: (fault: Fault | null) => Answer,
  ): Promise<Answer> {
    told.waiting()
    const fault = draw(verb, no)
    if (verb === 'refund' && fault === 'request late') onTheWay.add(no)
    const unknown = { kind: 'unknown', why: fault ?? '' } as unknown as Answer
    return new Promise((resolve) => {
      const answer = (ms: number, says: Answer): void =>
        void schedule.at(now() + ms, process, () => {
          told.story(
            `${process.name}: upstream says of ${verb} ${short(no)}: ${says.kind}${fault ? ` (${fault})` : ''}`,
          )
          resolve(says)
        })
      if (fault === 'request lost') return
      const isLate = fault === 'create lands late' || fault === 'request late'
      const arriveMs = isLate ? dice.between(2500, CREATE_LANDS_MS) : dice.between(5, 200)
      later(arriveMs, () => {
        if (verb === 'refund') onTheWay.delete(no)
        if (fault === 'failed before') return answer(dice.between(5, 100), unknown)
        const says = work(fault)
        if (fault === 'answer lost' || fault === 'create lands late') return
        if (fault === 'failed after') return answer(dice.between(5, 100), unknown)
        answer(fault === 'answer late' ? dice.between(1500, 9000) : dice.between(5, 300), says)
      })
    })
  }

  const isPayable = (trade: Trade): boolean => trade.state === 'open' && now() < trade.expireMs

  function take(trade: Trade, isCancelled = false): void {
    const atMs = Math.floor(now() / 1000) * 1000
    const amountFen = !isCancelled && drawOne('wrong amount', 'pay') ? trade.fen + 1n : trade.fen
    trade.state = 'paid'
    trade.isCode = false
    const payment = { paymentNo: `UP${trade.no}`, amountFen, currency: 'CNY', paidAt: new Date(atMs), payer: 'p' }
    trade.payment = { ...payment, atMs }
    if (drawOne('notification lost', 'notify')) return
    const tellings = drawOne('notification doubled', 'notify') ? 2 : 1
    for (let count = 0; count < tellings; count += 1) {
      const lateMs = drawOne('notification late', 'notify') ? dice.between(10_000, 600_000) : dice.between(20, 800)
      tell(trade.channel, JSON.stringify({ attemptNo: trade.no }), lateMs, 1)
    }
  }

  /** Again with growing pauses until it is heard. */
  function tell(channel: ChannelName, body: string, inMs: number, tries: number): void {
    schedule.at(now() + inMs, null, () => {
      // Not awaited: whoever hears it may take long, and the world goes on.
      void told.notify(channel, body).then((reply) => {
        if (reply?.status !== 200 && tries < 8) tell(channel, body, 15_000 * 2 ** tries, tries + 1)
      })
    })
  }

  const paymentOf = ({ payment }: Trade): UpstreamPayment => {
    const { paymentNo, amountFen, currency, paidAt, payer } = payment as UpstreamPayment
    return { paymentNo, amountFen, currency, paidAt, payer }
  }
  const isAllBack = (trade: Trade): boolean =>
    trade.payment !== null &&
    trade.refunds.reduce((sum, { fen, doneMs }) => sum + (doneMs <= now() ? fen : 0n), 0n) >= trade.payment.amountFen

  const channelOf = (process: Process, name: ChannelName): Channel => ({
    methods: ['native'],
    payUrlLivesMs: {},
    signIn: null,
    forgetsUnscanned: name === 'alipay',
    createLandsMs: CREATE_LANDS_MS,
    watchMs: WATCH_MS,
    open: ({ attemptNo, amountFen, expireAt }) =>
      call(process, 'open', attemptNo, () => {
        const isCode = name === 'alipay'
        if (isCode) told.quirk('a code that is no trade yet')
        trades.set(attemptNo, {
          ...{ no: attemptNo, channel: name, fen: amountFen, expireMs: expireAt.getTime(), state: 'open', isCode },
          ...{
            shownOpenUntilMs: 0,
            wasCode: isCode,
            poorUntilMs: 0,
            tradeSinceMs: isCode ? Number.POSITIVE_INFINITY : now(),
            payment: null,
            refunds: [],
          },
        })
        return { kind: 'opened', payUrl: `pay:${attemptNo}` }
      }),
    query: ({ attemptNo }) =>
      call(process, 'query', attemptNo, () => {
        const trade = trades.get(attemptNo)
        if (trade === undefined || trade.isCode) {
          told.quirk('a query of what does not exist')
          return { kind: 'absent' }
        }
        if (trade.state === 'paid') {
          // Alipay says of a trade that was sent back in full that it is closed, and that it was paid.
          const isReturned = name === 'alipay' && isAllBack(trade)
          if (isReturned) told.quirk('a paid trade that says it is closed')
          return { kind: isReturned ? 'returned' : 'paid', payment: paymentOf(trade) }
        }
        if (trade.state === 'closed' && now() < trade.shownOpenUntilMs)
          told.quirk('a closed trade that says it is open')
        const isClosed = trade.state === 'closed' && now() >= trade.shownOpenUntilMs
        return { kind: isClosed || trade.expireMs <= now() ? 'closed' : 'open' }
      }),
    close: ({ attemptNo }) =>
      call(process, 'close', attemptNo, (fault) => {
        const trade = trades.get(attemptNo)
        if (trade === undefined) {
          told.quirk('a yes to closing what does not exist')
          return { kind: name === 'wechat' ? 'accepted' : 'absent' }
        }
        if (trade.state === 'paid') return { kind: 'paid' }
        if (trade.isCode) {
          if (isPayable(trade) && drawOne('paid while cancelled', 'pay')) {
            // The payer was between our two calls: cancel finds a paid trade and sends all of it back.
            take(trade, true)
            const { paymentNo, amountFen } = paymentOf(trade)
            trade.refunds.push({ no: `cancel-${attemptNo}`, fen: amountFen, doneMs: now() })
            return { kind: 'returned', paymentNo }
          }
          told.quirk('a cancel of a code that stays payable')
          return { kind: 'absent' }
        }
        if (fault === 'close does nothing') return { kind: 'accepted' }
        trade.state = 'closed'
        if (fault === 'close shown late') trade.shownOpenUntilMs = now() + dice.between(1000, 20_000)
        return { kind: 'accepted' }
      }),
    refund: ({ attemptNo, refundNo, amountFen }) =>
      call(process, 'refund', attemptNo, (fault) => {
        const trade = trades.get(attemptNo)
        const known = trade?.refunds.find(({ no }) => no === refundNo)
        if (trade?.payment == null) return { kind: 'refused', why: 'NOT_PAID' }
        if (known === undefined) {
          const back = trade.refunds.reduce((sum, { fen }) => sum + fen, 0n)
          if (fault === 'refund refused')
            trade.poorUntilMs = now() + dice.between(1, dice.isOneIn(0.5) ? 5_000 : 90_000)
          if (now() < trade.poorUntilMs || back + amountFen > trade.payment.amountFen) {
            return { kind: 'refused', why: 'NOT_ENOUGH' }
          }
          const lateMs = fault === 'refund under way' || fault === 'refund closed' ? dice.between(1000, 120_000) : 0
          const doneMs = now() + lateMs
          if (fault === 'refund closed') trade.refunds.push({ no: refundNo, fen: 0n, doneMs, closes: true })
          else trade.refunds.push({ no: refundNo, fen: amountFen, doneMs })
          if (lateMs > 0) tell(name, JSON.stringify({ refundNo }), lateMs, 1)
        } else told.quirk('a refund asked for again')
        const made = trade.refunds.find(({ no }) => no === refundNo)
        if ((made?.doneMs ?? 0) > now()) return { kind: 'processing' }
        return made?.closes ? { kind: 'refused', why: 'CLOSED' } : { kind: 'done' }
      }),
    queryRefund: ({ attemptNo, refundNo }) =>
      call(process, 'queryRefund', attemptNo, () => {
        const made = trades.get(attemptNo)?.refunds.find(({ no }) => no === refundNo)
        if (made === undefined) return { kind: 'absent' }
        if (made.doneMs > now()) return { kind: 'processing' }
        return made.closes ? { kind: 'failed', why: 'CLOSED' } : { kind: 'done' }
      }),
    async readNotification({ body }) {
      const { attemptNo, refundNo } = JSON.parse(body) as { attemptNo?: string; refundNo?: string }
      if (refundNo !== undefined) return { kind: 'refund', refundNo }
      const trade = trades.get(attemptNo ?? '')
      if (trade?.payment == null) return { kind: 'forged', why: 'not paid' }
      return { kind: 'paid', attemptNo: trade.no, payment: paymentOf(trade) }
    },
    replyToNotification: (isHeard) => ({ status: isHeard ? 200 : 500, contentType: 'text/plain', body: '' }),
    fetchBill: async () => ({ kind: 'none' }),
  })

  return {
    channelOf,
    isCode: (no) => trades.get(no)?.isCode === true,
    scan(no) {
      const trade = trades.get(no)
      if (trade === undefined || !isPayable(trade)) return false
      trade.isCode = false
      trade.tradeSinceMs = Math.min(trade.tradeSinceMs, now())
      return true
    },
    pay(no) {
      const trade = trades.get(no)
      if (trade === undefined || trade.state === 'paid') return false
      // Later than the watch lasts, the daily bill finds it; there is none here.
      const isWatched = now() < trade.expireMs + WATCH_MS
      if (!isPayable(trade) && !(isWatched && drawOne('paid although closed', 'pay'))) return false
      take(trade)
      return true
    },
    trades: () => [...trades.values()],
    rest: () => {
      isResting = true
    },
  }
}
