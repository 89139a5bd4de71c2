/** What a payment platform knows of trades, whichever it is: open, closed or paid; refunds; what it still has to tell. */
import type { StandInWorld } from './stand-in.ts'

export type Trade = {
  no: string
  method: string
  description: string
  totalFen: number
  expireMs: number
  notifyUrl: string
  state: 'open' | 'closed' | 'paid'
  /** A code that was handed out and that nobody has scanned: there is no trade yet, and it can be paid. */
  isCode: boolean
  /** From then on the create has landed; before, nobody knows of it. */
  landsMs: number
  /** Until then a query still says that it is open, although it is closed. */
  shownOpenUntilMs: number
  payment: { no: string; fen: number; atMs: number; payer: string } | null
  /** `doneMs`: until then it is under way. */
  refunds: { no: string; id: string; fen: number; atMs: number; doneMs: number }[]
  notices: Notice[]
}

/** A notification on its way: sent at `nextMs`, then by the platform's schedule until it is heard. */
export type Notice = {
  id: string
  sent: number
  nextMs: number
  isHeard: boolean
  /** Of this refund, at its own address; else of the payment. */
  refund?: { no: string; url: string }
}

export type NewTrade = Pick<
  Trade,
  'no' | 'method' | 'description' | 'totalFen' | 'expireMs' | 'notifyUrl' | 'isCode' | 'landsMs'
>

export type Taken = { no: string; takenFen: number; returnedFen: number }

/** How one platform tells: what it sends, what it takes for 'heard', and after how long it sends again. */
export type Telling = {
  render: (trade: Trade, notice: Notice) => { headers: Record<string, string>; body: string }
  isHeard: (reply: { status: number; body: string }) => boolean
  pausesMs: readonly number[]
}

/** What a test, a demo or a developer does to a platform's trades: being the payer, time and chance. */
export type Control = {
  trade: (no: string) => Promise<Trade | null>
  trades: () => Promise<Trade[]>
  /** Opens the code in the wallet; false when there is nothing to open. */
  scan: (no: string) => Promise<boolean>
  /** Pays, and has the notification sent once before it returns; null when the platform refuses the payer. */
  pay: (no: string, how?: { fen?: number; payer?: string }) => Promise<Trade['payment']>
  /** Takes the payer's money although the trade is closed: what must not happen, and does. */
  payAnyway: (no: string) => Promise<Trade['payment']>
  expire: (no: string) => Promise<void>
  /** The platform, or the merchant in the platform's own pages, sends back what is left of a payment; false without one. */
  giveBack: (no: string) => Promise<boolean>
  /** All money taken and sent back, by trade. */
  taken: () => Promise<Taken[]>
  /** Sends every notification that is due; how many were. */
  deliverDue: () => Promise<number>
}

export type Trades = ReturnType<typeof tradesOf>

export function tradesOf(prefix: string, world: StandInWorld, telling: Telling) {
  const { books, now, faults } = world
  const keyOf = (no: string): string => `${prefix}/trade/${no}`
  const nowMs = (): number => now().getTime()
  const landed = (found: object | null): Trade | null => {
    const trade = found as Trade | null
    return trade !== null && trade.landsMs <= nowMs() ? trade : null
  }

  const change = <Result>(no: string, edit: (trade: Trade | null) => Result): Promise<Result> =>
    books.change(keyOf(no), (before) => {
      const trade = landed(before)
      const result = edit(trade)
      return { after: trade, result }
    })

  const find = async (no: string): Promise<Trade | null> => landed(await books.read(keyOf(no)))
  /** Which trade a number of the platform's own, or of a refund, belongs to; null for one that it never gave out. */
  const tradeNoOf = async (kind: 'payment' | 'refund', number: string): Promise<string | null> =>
    ((await books.read(`${prefix}/${kind}/${number}`)) as { no: string } | null)?.no ?? null
  /** Written before the payment or refund itself: a number that leads to a trade without it says nothing. */
  const register = (kind: 'payment' | 'refund', number: string, no: string): Promise<void> =>
    books.change(`${prefix}/${kind}/${number}`, () => ({ after: { no }, result: undefined }))
  const list = async (): Promise<Trade[]> => (await books.list(`${prefix}/trade/`)) as Trade[]

  /** False when the number was used before: the first one stays as it is. */
  const create = (trade: NewTrade): Promise<boolean> =>
    books.change(keyOf(trade.no), (before) => {
      if (before !== null) return { after: null, result: false }
      const fresh: Trade = { ...trade, state: 'open', shownOpenUntilMs: 0, payment: null, refunds: [], notices: [] }
      return { after: fresh, result: true }
    })

  async function take(no: string, how: { fen?: number; payer?: string }, isForced: boolean): Promise<Trade['payment']> {
    const fault = faults.pick('notify', no)
    const paymentNo = numberOf('42', no)
    await register('payment', paymentNo, no)
    const payment = await change(no, (trade) => {
      if (trade === null || trade.state === 'paid') return trade?.payment ?? null
      if (!isForced && (trade.state !== 'open' || trade.expireMs <= nowMs())) return null
      trade.state = 'paid'
      trade.isCode = false
      trade.payment = {
        no: paymentNo,
        fen: how.fen ?? trade.totalFen,
        atMs: Math.floor(nowMs() / 1000) * 1000,
        payer: how.payer ?? 'sandbox-payer',
      }
      const notice = { sent: 0, nextMs: nowMs(), isHeard: false }
      if (fault?.kind !== 'silence') trade.notices.push({ ...notice, id: `${no}-1` })
      if (fault?.kind === 'twin') trade.notices.push({ ...notice, id: `${no}-2` })
      return trade.payment
    })
    await deliver(no)
    return payment
  }

  /** Sends what is due for one trade, twins at once. */
  async function deliver(no: string): Promise<number> {
    const due = await change(no, (trade) => {
      if (trade === null) return null
      const notices = trade.notices.filter(({ isHeard, nextMs }) => !isHeard && nextMs <= nowMs())
      for (const notice of notices) {
        notice.sent += 1
        // After the last pause it is not told again.
        notice.nextMs = nowMs() + (telling.pausesMs[notice.sent - 1] ?? Number.MAX_SAFE_INTEGER)
      }
      return notices.length === 0 ? null : { trade: structuredClone(trade), notices }
    })
    if (due === null) return 0
    await Promise.all(
      due.notices.map(async (notice) => {
        const { headers, body } = telling.render(due.trade, notice)
        const reply = await world.deliver(notice.refund?.url ?? due.trade.notifyUrl, headers, body).catch(() => null)
        if (reply === null || !telling.isHeard(reply)) return
        await change(no, (trade) => {
          const own = trade?.notices.find(({ id }) => id === notice.id)
          if (own !== undefined) own.isHeard = true
        })
      }),
    )
    return due.notices.length
  }

  const control: Control = {
    trade: find,
    trades: async () => (await list()).filter((trade) => landed(trade) !== null),
    scan: (no) =>
      change(no, (trade) => {
        if (trade === null || trade.state !== 'open' || trade.expireMs <= nowMs()) return false
        trade.isCode = false
        return true
      }),
    pay: (no, how = {}) => take(no, how, false),
    payAnyway: (no) => take(no, {}, true),
    expire: (no) =>
      change(no, (trade) => {
        if (trade !== null) trade.expireMs = nowMs()
      }),
    async giveBack(no) {
      const refundNo = `own-${no}`
      await register('refund', refundNo, no)
      return change(no, (trade) => {
        const left = trade === null ? 0 : leftOf(trade)
        return trade !== null && left > 0 && refundTrade(trade, { no: refundNo, fen: left }, nowMs()) !== null
      })
    },
    taken: async () =>
      (await list()).map(({ no, payment, refunds }) => ({
        no,
        takenFen: payment?.fen ?? 0,
        returnedFen: returnedOf(refunds),
      })),
    async deliverDue() {
      const due = (await list()).filter(({ notices }) =>
        notices.some(({ isHeard, nextMs }) => !isHeard && nextMs <= nowMs()),
      )
      let count = 0
      for (const { no } of due) count += await deliver(no)
      return count
    },
  }

  return { control, find, list, create, change, nowMs, tradeNoOf, register }
}

const returnedOf = (refunds: Trade['refunds']): number => refunds.reduce((sum, { fen }) => sum + fen, 0)

/** What of a payment has not gone back; 0 where there is none. */
export const leftOf = ({ payment, refunds }: Trade): number => (payment?.fen ?? 0) - returnedOf(refunds)

/** Sends money back: the same number again is the same refund, done after `lateMs`. Null when there is not so much of it. */
export function refundTrade(
  trade: Trade,
  refund: { no: string; fen: number },
  nowMs: number,
  lateMs = 0,
): Trade['refunds'][number] | null {
  const known = trade.refunds.find(({ no }) => no === refund.no)
  if (known !== undefined) return known.fen === refund.fen ? known : null
  if (trade.payment === null || refund.fen > leftOf(trade)) return null
  const made = { ...refund, id: numberOf('50', refund.no), atMs: nowMs, doneMs: nowMs + lateMs }
  trade.refunds.push(made)
  return made
}

/** A platform's own number for a merchant's: the same every time. */
export const numberOf = (kind: string, no: string): string =>
  `${kind}${no.replace(/\D/g, '').padStart(26, '0').slice(-26)}`
