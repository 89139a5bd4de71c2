/** Which faults the upstreams have, by seed. They change every 200 orders, and differ by gateway and by upstream. */
import { type Dice, diceOf } from './dice.ts'
import type { ChannelName } from './plan.ts'

export const ORDERS_A_WEATHER = 200

/** A fault as the sandbox's API takes it (docs/sandbox.md, What can go wrong). */
export type Fault = { kind: string; verb?: string; probability?: number; ms?: number }

export type Weather = { name: string; faults: Fault[] }

export const CALM: Weather = { name: 'calm', faults: [] }

const VERBS = ['create', 'query', 'close', 'refund', 'query_refund'] as const

/** The faults that an answer may have. */
const ANSWERS = ['lost_answer', 'slow_answer', 'error_before', 'error_after', 'unreadable', 'bad_signature'] as const

/** The faults that one gateway meets at one upstream. */
export function weatherOf(place: { seed: number; round: number; gateway: number; channel: ChannelName }): Weather {
  const dice = diceOf(place.seed, 'weather', place.round, place.gateway, place.channel)
  const share = dice.next()
  if (share < 0.2) return CALM
  if (share < 0.32) return slowClose(dice.pick([400, 400, 2_000]))
  if (share < 0.42) return { name: 'slow 300 ms', faults: [{ kind: 'slow_answer', ms: 300, probability: 0.7 }] }
  return mixed(dice)
}

export const slowClose = (ms: number): Weather => ({
  name: `close ${ms} ms`,
  faults: ms === 0 ? [] : [{ kind: 'slow_answer', verb: 'close', ms }],
})

/** Each verb has some faults of its own; the others are left out, so that rare faults happen together. */
function mixed(dice: Dice): Weather {
  const heavy = dice.pick([0.04, 0.1, 0.2])
  const faults: Fault[] = []
  for (const verb of VERBS) {
    for (const kind of ANSWERS) {
      if (!dice.chance(0.4)) continue
      const ms = kind === 'slow_answer' ? { ms: dice.pick([100, 400, 1_500, 2_500]) } : {}
      faults.push({ kind, verb, probability: round(dice.next() * heavy), ...ms })
    }
  }
  if (dice.chance(0.5)) faults.push({ kind: 'lands_late', probability: heavy, ms: dice.pick([300, 2_000, 5_000]) })
  if (dice.chance(0.5)) faults.push({ kind: 'closes_late', probability: heavy * 2, ms: dice.pick([500, 1_500, 4_000]) })
  if (dice.chance(0.5)) faults.push({ kind: 'closes_never', probability: heavy })
  if (dice.chance(0.5)) faults.push({ kind: 'refunds_late', probability: 0.5, ms: dice.pick([300, 1_500, 6_000]) })
  if (dice.chance(0.6)) faults.push({ kind: 'twin', probability: dice.pick([0.1, 0.5]) })
  if (dice.chance(0.5)) faults.push({ kind: 'silence', probability: dice.pick([0.05, 0.2]) })
  return { name: `mixed ${Math.round(heavy * 100)} %`, faults }
}

const round = (share: number): number => Math.round(share * 1000) / 1000
