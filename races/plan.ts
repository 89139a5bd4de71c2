/** What happens to one order and when. The seed and the order's number alone decide it. */
import { type Dice, diceOf } from './dice.ts'

export type ChannelName = 'wechat' | 'alipay'

/** What a payer does at the upstream; `give-back` is the upstream's own refund. */
export type PayersCall = 'scan' | 'pay' | 'pay-anyway' | 'give-back'

/** One call of the merchant, a payer or an operator. */
type Call =
  | { do: 'open'; attempt: number; channel: ChannelName; method: string }
  | { do: PayersCall; attempt: number }
  | { do: 'close'; by: 'transaction_no' | 'mch_trade_no' }
  | { do: 'operator_close' | 'query' }
  /** The same `refund` is the merchant's same refund number. */
  | { do: 'refund'; refund: number; fen: number; by: 'transaction_no' | 'mch_trade_no' }
  | { do: 'query_refund'; refund: number }

/** `atMs` counts from the moment at which the order was placed. */
export type Event = Call & { atMs: number }

/** How the merchant's notification server treats this order. */
export const MOODS = ['well', 'slow', 'fail', 'busy', 'down'] as const
export type Mood = (typeof MOODS)[number]

export type Plan = {
  seed: number
  order: number
  kind: string
  amountFen: number
  /** Null takes the gateway's default of two hours. */
  expiresInMs: number | null
  mood: Mood
  /** In the order of their times. */
  events: Event[]
}

const METHODS: Record<ChannelName, readonly [string, ...string[]]> = {
  wechat: ['native', 'h5', 'jsapi', 'app'],
  alipay: ['native', 'h5', 'page'],
}

/** The gateway accepts no expiry less than a minute ahead; the rest is for a slow call on a busy machine. */
export const EXPIRY_MS = 64_000

const KINDS: readonly [share: number, kind: string, play: (dice: Dice, amountFen: number) => Event[]][] = [
  [0.56, 'close and payment at once', raced],
  [0.1, 'paid late', paidLate],
  [0.16, 'paid and refunded', refunded],
  [0.04, 'closed, unpaid', unpaid],
  [0.04, 'closed before any attempt', untouched],
  [0.06, 'never closed', neverClosed],
  [0.04, 'expires', expiring],
]

/** `hasExpiry` false leaves out the orders that expire after a minute, for short runs. */
export function planOf(seed: number, order: number, { hasExpiry = true }: { hasExpiry?: boolean } = {}): Plan {
  const dice = diceOf(seed, 'plan', order)
  const amountFen = dice.pick([dice.between(1, 99), dice.between(100, 9_999), 1250, dice.between(10_000, 500_000)])
  const share = dice.next() * (hasExpiry ? 1 : 0.96)
  let sum = 0
  const found = KINDS.find(([part]) => {
    sum += part
    return share < sum
  })
  const [, kind, play] = found ?? KINDS[0] ?? [0, '', raced]
  const events = play(dice, amountFen)
  if (dice.chance(0.01)) events.push({ do: 'give-back', attempt: 0, atMs: dice.between(300, 3_000) })
  return {
    seed,
    order,
    kind,
    amountFen,
    expiresInMs: kind === 'expires' ? EXPIRY_MS : null,
    mood: dice.chance(0.8) ? 'well' : dice.pick(['slow', 'fail', 'busy', 'down']),
    events: inTime(events),
  }
}

export const inTime = (events: Event[]): Event[] => events.sort((one, other) => one.atMs - other.atMs)

function attemptAt(dice: Dice, attempt: number, atMs: number): Event {
  const channel = dice.pick(['wechat', 'alipay'])
  return { do: 'open', attempt, channel, method: dice.pick(METHODS[channel]), atMs }
}

/** Attempts opened before `atMs`, and sometimes one at `atMs` or later. */
function attempts(dice: Dice, atMs: number): Event[] {
  const opened = Array.from({ length: dice.pick([1, 1, 2, 2, 3]) }, (_, index) =>
    attemptAt(dice, index, dice.between(0, Math.max(0, atMs - 40))),
  )
  if (dice.chance(0.15)) opened.push(attemptAt(dice, opened.length, atMs + dice.between(-30, 60)))
  if (dice.chance(0.05)) opened.push(attemptAt(dice, opened.length, atMs + dice.between(100, 2_000)))
  return opened
}

/** One to five closes, some at the same moment, by either number; sometimes an operator closes too. */
function closes(dice: Dice, atMs: number): Event[] {
  const times = dice.pick([1, 1, 1, 2, 2, 3, 5])
  const spreadMs = dice.pick([0, 0, 20, 400, 3_000])
  const asked: Event[] = Array.from({ length: times }, (_, index) => ({
    do: 'close',
    by: dice.pick(['transaction_no', 'mch_trade_no']),
    atMs: atMs + (index === 0 ? 0 : dice.between(0, spreadMs)),
  }))
  if (dice.chance(0.08)) asked.push({ do: 'operator_close', atMs: atMs + dice.between(-30, 200) })
  // An operator closes it, and the merchant never does.
  if (dice.chance(0.02)) return [{ do: 'operator_close', atMs }]
  return asked
}

const queries = (dice: Dice, atMs: number): Event[] =>
  [dice.between(-60, 20), dice.between(60, 400), dice.between(500, 1_500), dice.between(2_000, 4_500)].map(
    (afterMs) => ({ do: 'query', atMs: Math.max(10, atMs + afterMs) }),
  )

/** One to three refunds at about `atMs`; also one number twice, one number with two amounts, or more than was paid. */
function refunds(dice: Dice, amountFen: number, atMs: number): Event[] {
  const by = dice.pick(['transaction_no', 'mch_trade_no'])
  const one = (refund: number, fen: number): Event => ({
    do: 'refund',
    refund,
    fen: Math.max(1, fen),
    by,
    atMs: atMs + dice.between(0, 120),
  })
  const part = dice.between(1, amountFen)
  const asked = dice.pick<Event[]>([
    [one(0, amountFen)],
    [one(0, part)],
    [one(0, part), one(0, part)],
    [one(0, part), one(0, Math.max(1, part - 1))],
    [one(0, part), one(1, amountFen - part)],
    [one(0, amountFen), one(1, part)],
    [one(0, part), one(1, part), one(2, part)],
  ])
  const last = dice.between(300, 2_500)
  return [...asked, { do: 'query_refund', refund: 0, atMs: atMs + last }, { do: 'query', atMs: atMs + last + 20 }]
}

/** Payers and the merchant's close at the same moment. */
function raced(dice: Dice, amountFen: number): Event[] {
  const atMs = dice.between(80, 350)
  const opened = attempts(dice, atMs)
  const events = [...opened, ...closes(dice, atMs), ...queries(dice, atMs)]
  for (const attempt of opened.keys()) {
    if (dice.chance(0.4)) events.push({ do: 'scan', attempt, atMs: dice.between(20, atMs) })
    const nearMs = Math.max(0, atMs + dice.between(-120, 120))
    if (dice.chance(0.65)) events.push({ do: 'pay', attempt, atMs: nearMs })
    if (dice.chance(0.06)) events.push({ do: 'pay-anyway', attempt, atMs: atMs + dice.between(0, 500) })
  }
  if (dice.chance(0.12)) events.push(...refunds(dice, amountFen, atMs + dice.between(0, 800)))
  return events
}

/** The payer pays seconds after the close, with a scanned or an unscanned code, or although the upstream has closed it. */
function paidLate(dice: Dice, amountFen: number): Event[] {
  const atMs = dice.between(80, 300)
  const opened = attempts(dice, atMs)
  const events = [...opened, ...closes(dice, atMs), ...queries(dice, atMs)]
  for (const attempt of opened.keys()) {
    const lateMs = atMs + dice.between(300, 5_000)
    if (dice.chance(0.3)) events.push({ do: 'scan', attempt, atMs: dice.pick([20, lateMs - 200]) })
    if (dice.chance(0.8)) events.push({ do: dice.pick(['pay', 'pay', 'pay-anyway']), attempt, atMs: lateMs })
    if (dice.chance(0.3)) events.push({ do: 'query', atMs: lateMs + dice.between(20, 500) })
  }
  if (dice.chance(0.1)) events.push(...refunds(dice, amountFen, atMs + dice.between(500, 4_000)))
  return events
}

/** Paid once or twice, mostly refunded, and sometimes closed afterwards. */
function refunded(dice: Dice, amountFen: number): Event[] {
  const atMs = dice.between(60, 250)
  const opened = attempts(dice, atMs)
  const events = [...opened, ...queries(dice, atMs)]
  for (const attempt of opened.keys()) {
    if (attempt === 0 || dice.chance(0.35)) events.push({ do: 'pay', attempt, atMs: atMs + dice.between(-20, 60) })
  }
  const refundMs = atMs + dice.between(0, 1_200)
  if (dice.chance(0.85)) events.push(...refunds(dice, amountFen, refundMs))
  if (dice.chance(0.4)) events.push(...closes(dice, dice.pick([refundMs, atMs + dice.between(200, 2_000)])))
  return events
}

function unpaid(dice: Dice): Event[] {
  const atMs = dice.between(60, 300)
  return [...attempts(dice, atMs), ...closes(dice, atMs), ...queries(dice, atMs)]
}

/** Closed at about the moment at which the payer opens the first attempt. */
function untouched(dice: Dice, amountFen: number): Event[] {
  const atMs = dice.between(5, 80)
  const events = [...closes(dice, atMs), ...queries(dice, atMs)]
  if (dice.chance(0.6)) {
    events.push(attemptAt(dice, 0, atMs + dice.between(-20, 20)))
    events.push({ do: 'pay', attempt: 0, atMs: atMs + dice.between(0, 100) })
  }
  if (dice.chance(0.1)) events.push(...refunds(dice, amountFen, atMs))
  return events
}

/** The merchant closes it at the end of the day unless it has been paid by then. */
function neverClosed(dice: Dice): Event[] {
  const atMs = dice.between(60, 400)
  const opened = attempts(dice, atMs)
  const events = [...opened, ...queries(dice, atMs)]
  for (const attempt of opened.keys()) {
    if (dice.chance(0.5)) events.push({ do: 'pay', attempt, atMs: atMs + dice.between(-20, 1_500) })
  }
  return events
}

/** Nothing happens for a minute; then the order expires, and payers and closes come at that moment. */
function expiring(dice: Dice): Event[] {
  const atMs = EXPIRY_MS - 500
  const opened = attempts(dice, 400)
  const events = [...opened, ...queries(dice, atMs)]
  for (const attempt of opened.keys()) {
    if (dice.chance(0.3)) events.push({ do: 'scan', attempt, atMs: dice.between(500, 50_000) })
    if (dice.chance(0.5)) events.push({ do: 'pay', attempt, atMs: atMs + dice.between(-800, 800) })
    if (dice.chance(0.1)) events.push({ do: 'pay-anyway', attempt, atMs: atMs + dice.between(500, 3_000) })
  }
  if (dice.chance(0.6)) events.push(...closes(dice, atMs + dice.between(-700, 1_500)))
  return events
}
