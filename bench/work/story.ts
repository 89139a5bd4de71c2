/**
 * One order after another as a merchant and a payer live them: of a hundred orders, 150 queries, 80 attempts, 70 payments, 20 closes and
 * 3 refunds. Each step is signed when it is taken, because its number is known only then.
 */
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import type { Outside } from '../stack/outside.ts'
import type { Call } from './lanes.ts'
import { type Step, stepsOf } from './mix.ts'
import {
  type Attempted,
  attemptIn,
  attempts,
  closings,
  orderIn,
  payings,
  placings,
  queries,
  refunds,
} from './orders.ts'

export type Story = {
  /** The next request; the order of a new story where the last one has ended. */
  next: () => Promise<Call>
  /** What was answered to it. */
  heard: (answer: string) => void
  /** After a failure the order is left alone. */
  giveUp: () => void
}

/** `turn`: which order of all it begins; each story takes every `every`th. */
export function story(
  merchants: DemoSettings[],
  outside: Pick<Outside, 'payers'>,
  { turn, every }: { turn: number; every: number },
): Story {
  let order = turn - every
  let left: Step[] = []
  let step: Step = 'place'
  let current: Attempted | null = null
  const now = (): Attempted => current as Attempted
  const merchant = (): DemoSettings => merchants[order % merchants.length] as DemoSettings
  const make: Record<Step, () => Promise<Call[]>> = {
    place: () => placings([merchant()], 1),
    query: () => queries([now()]),
    attempt: () => attempts([now()]),
    pay: async () => payings([now()], outside),
    close: () => closings([now()]),
    refund: () => refunds([now()]),
  }
  return {
    async next() {
      if (left.length === 0) {
        order += every
        left = stepsOf(order)
      }
      step = left.shift() ?? 'place'
      return (await make[step]())[0] as Call
    },
    heard(answer) {
      if (step === 'place') current = { of: merchant(), attemptNo: '', ...orderIn(answer) }
      if (step === 'attempt') current = { ...now(), attemptNo: attemptIn(answer) }
    },
    giveUp() {
      left = []
    },
  }
}
