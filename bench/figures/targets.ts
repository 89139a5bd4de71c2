/** What the figures should be, and whether they are. Pure. */
import { type Text, TITLES } from '../work/names.ts'
import type { Block, Line } from './line.ts'

export type Verdict = { target: Text; found: Text; isMet: boolean }

type Bound = { of: 'gateway' | 'database' | 'statements' | 'transactions'; most: number }
type Target = Partial<Pick<Block, 'work' | 'merchants' | 'processes'>> & { bounds: Bound[] }

const most = (of: Bound['of'], value: number): Bound => ({ of, most: value })

/** A close of many merchants may cost a little more than one of a single merchant, because their keys are more. */
const TARGETS: Target[] = [
  { work: 'close', merchants: 1, processes: 1, bounds: [most('gateway', 1.5), most('database', 0.6)] },
  { work: 'close', merchants: 1000, processes: 1, bounds: [most('gateway', 1.6), most('database', 0.7)] },
  { work: 'place', processes: 1, bounds: [most('gateway', 1.8), most('database', 1)] },
  { work: 'query', processes: 1, bounds: [most('gateway', 1.6), most('database', 0.3)] },
  {
    work: 'attended',
    processes: 1,
    bounds: [most('gateway', 7), most('database', 4), most('statements', 12), most('transactions', 3)],
  },
]

export const LIMITS = { delayMs: 20, ofCeiling: 0.45, manyOfOne: 0.9, threeOfOne: 1.15, swept: 2000, peer: 3 } as const

const matches = (target: Target, line: Line): boolean =>
  (['work', 'merchants', 'processes'] as const).every(
    (name) => target[name] === undefined || target[name] === line[name],
  )

/** The bounds of a line that stand beside it in the table. */
export const boundsOf = (line: Line): Bound[] =>
  TARGETS.filter((target) => matches(target, line)).flatMap(({ bounds }) => bounds)

export const isWithin = (line: Line, { of, most: value }: Bound): boolean => line[of] <= value

/** What is said of several lines together; nothing of those that were not measured. */
export function verdictsOf(lines: Line[]): Verdict[] {
  const find = (work: Line['work'], merchants: number | 'one' | 'many', processes: number): Line | undefined =>
    lines.find(
      (line) => line.work === work && line.processes === processes && (merchants === 'one') === (line.merchants === 1),
    )
  const [one, many] = [find('close', 'one', 1), find('close', 'many', 1)]
  return [
    ...(one && many ? [manyAsOne(one, many)] : []),
    ...(one ? [ofCeiling(one)] : []),
    ...['one', 'many'].flatMap((merchants) => {
      const [alone, three] = [1, 3].map((processes) => find('close', merchants as 'one' | 'many', processes))
      return alone && three ? [threeAsOne(alone, three)] : []
    }),
    ...sweeping(lines),
    ...delays(lines),
  ]
}

const per = (value: number): string => `${value.toFixed(0)}/s`
const share = (value: number): string => `${(100 * value).toFixed(0)} %`
/** A figure needs no translation. */
export const same = (text: string): Text => ({ en: text, zh: text })

function manyAsOne(one: Line, many: Line): Verdict {
  const found = many.perSecond / one.perSecond
  return {
    target: {
      en: `closes/s with ${many.merchants} merchants ≥ ${LIMITS.manyOfOne} of those with one`,
      zh: `${many.merchants} 个商户时每秒关单 ≥ 一个商户时的 ${LIMITS.manyOfOne}`,
    },
    found: same(`${found.toFixed(2)} (${per(many.perSecond)} : ${per(one.perSecond)})`),
    isMet: found >= LIMITS.manyOfOne,
  }
}

const ofCeiling = ({ ceiling }: Line): Verdict => ({
  target: {
    en: `closes/s ≥ ${share(LIMITS.ofCeiling)} of what the cores could sign`,
    zh: `每秒关单 ≥ 这些核所能签名数的 ${share(LIMITS.ofCeiling)}`,
  },
  found: same(share(ceiling)),
  isMet: ceiling >= LIMITS.ofCeiling,
})

function threeAsOne(alone: Line, three: Line): Verdict {
  const found = three.gateway / alone.gateway
  const { merchants } = alone
  return {
    target: {
      en: `gateway CPU of a close with 3 processes ≤ ${LIMITS.threeOfOne} × that with 1 (merchants: ${merchants})`,
      zh: `3 个进程时一次关单的网关 CPU ≤ 1 个时的 ${LIMITS.threeOfOne} 倍（商户：${merchants}）`,
    },
    found: same(`× ${found.toFixed(2)}`),
    isMet: found <= LIMITS.threeOfOne,
  }
}

function sweeping(lines: Line[]): Verdict[] {
  const all = lines.filter(({ work }) => work === 'sweep')
  const alone = all.find(({ processes }) => processes === 1)
  if (alone === undefined) return []
  const others = all.filter((line) => line.merchants === alone.merchants && line.processes > 1)
  return [
    {
      target: {
        en: `lapsed orders swept by 1 process ≥ ${per(LIMITS.swept)}`,
        zh: `1 个进程清理过期订单 ≥ ${per(LIMITS.swept)}`,
      },
      found: same(per(alone.perSecond)),
      isMet: alone.perSecond >= LIMITS.swept,
    },
    ...others.map(({ processes, perSecond }) => ({
      target: {
        en: `lapsed orders swept by ${processes} processes not fewer than by 1`,
        zh: `${processes} 个进程清理过期订单不少于 1 个`,
      },
      found: same(`${per(perSecond)} : ${per(alone.perSecond)}`),
      isMet: perSecond >= alone.perSecond,
    })),
  ]
}

function delays(lines: Line[]): Verdict[] {
  const [worst] = [...lines].sort((a, b) => b.delayMs - a.delayMs)
  if (worst === undefined) return []
  const { work, merchants, processes } = worst
  const ms = worst.delayMs.toFixed(0)
  return [
    {
      target: {
        en: `event-loop delay p99 < ${LIMITS.delayMs} ms everywhere`,
        zh: `事件循环延迟 p99 处处 < ${LIMITS.delayMs} ms`,
      },
      found: {
        en: `at most ${ms} ms (${TITLES[work].en}, merchants: ${merchants}, processes: ${processes})`,
        zh: `最多 ${ms} ms（${TITLES[work].zh}，商户：${merchants}，进程：${processes}）`,
      },
      isMet: worst.delayMs < LIMITS.delayMs,
    },
  ]
}
