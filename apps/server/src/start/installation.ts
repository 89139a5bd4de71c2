/**
 * What one gateway tells all others on its database, and hears of them: once a second in one statement, while there is something to tell
 * or was lately. While the database is away, each goes on by its own counts. docs/scaling.md says how far off the sums can be.
 */
import { exchangeCounts, forgetCounts, type Pool } from '@acopay/store'
import type { World } from '../world.ts'
import type { Bus, Told } from './telling.ts'

const EXCHANGE_MS = 1000
/** A gateway that has told nothing, and heard nothing, for so long asks no more until it has something to tell. */
const QUIET_MS = 10_000
/** One that was too slow to read a round finds it in the next ones. */
const ROUNDS_KEPT = 5
/** Of a gateway that was never heard of before, what it told longer ago does not matter any more. */
const NEWS_MS = 5000
/** Members whose row is older have ended, or have nothing to tell. Clocks may differ. */
const SINCE_MS = 60_000
const FORGOTTEN_MS = 24 * 3_600_000
/** The most names of one round. Further ones are not told: their limits hold for each machine alone meanwhile. */
const NAMES_MAX = 1000

type Parts = Pick<World, 'log' | 'now' | 'steadyMs'> & { pool: Pool; member: string; processes: number }

export type Installation = Bus & {
  /** Exchanges what there is now. Never fails. */
  round: () => Promise<void>
}

type Round = { round: number; at: number; told: Told[] }

export function installationBus({ pool, log, now, steadyMs, member, processes }: Parts): Installation {
  const listeners: ((told: Told) => void)[] = []
  const waiting = new Map<string, Told>()
  const heard = new Map<string, { round: number; atMs: number }>()
  const rounds: Round[] = []
  let [round, machines, activeAtMs, isAway] = [0, 1, Number.NEGATIVE_INFINITY, false]
  const say = (told: Told): void => {
    for (const listener of listeners) listener(told)
  }

  /** What is new in another one's row. */
  function hearOf(from: string, told: string): void {
    const known = heard.get(from)
    const newest = JSON.parse(told) as Round[]
    const nowMs = now().getTime()
    const news = newest.filter((one) => (known === undefined ? nowMs - one.at < NEWS_MS : one.round > known.round))
    const last = newest.at(-1)?.round ?? 0
    if (last !== known?.round) heard.set(from, { round: last, atMs: steadyMs() })
    for (const one of news) for (const each of one.told) say(each)
    if (news.some((one) => one.told.length > 0)) activeAtMs = steadyMs()
  }

  function countMachines(): void {
    for (const [from, { atMs }] of heard) if (steadyMs() - atMs > QUIET_MS) heard.delete(from)
    if (machines === heard.size + 1) return
    machines = heard.size + 1
    say({ what: 'machines', count: machines })
  }

  async function exchange(): Promise<void> {
    const at = now()
    if (round === 0) await forgetCounts(pool, new Date(at.getTime() - FORGOTTEN_MS))
    const told = [...waiting.values()]
    waiting.clear()
    round += 1
    rounds.push({ round, at: at.getTime(), told })
    rounds.splice(0, rounds.length - ROUNDS_KEPT)
    const since = new Date(at.getTime() - SINCE_MS)
    const others = await exchangeCounts(pool, { member, round, told: JSON.stringify(rounds) }, { now: at, since })
    for (const other of others) hearOf(other.member, other.told)
    countMachines()
  }

  return {
    processes,
    hear: (listener) => void listeners.push(listener),
    tell(told) {
      activeAtMs = steadyMs()
      merge(waiting, told)
    },
    async round() {
      if (waiting.size === 0 && steadyMs() - activeAtMs > QUIET_MS) return
      try {
        await exchange()
        if (isAway) log.info('limits are shared with other gateways again')
        isAway = false
      } catch (err) {
        if (!isAway) log.warn({ err }, 'limits are not shared with other gateways while the database does not answer')
        isAway = true
      }
    },
  }
}

/** What is told of one name in one second is told at once. */
function merge(waiting: Map<string, Told>, told: Told): void {
  if (told.what === 'machines') return
  const key = told.what === 'taken' ? `${told.limit} ${told.name}` : `rest ${told.name}`
  const known = waiting.get(key)
  if (known === undefined && waiting.size >= NAMES_MAX) return
  if (known?.what === 'taken' && told.what === 'taken')
    waiting.set(key, { ...told, tokens: known.tokens + told.tokens })
  else if (known?.what === 'rest' && told.what === 'rest') {
    const failed = told.isAnswered ? told.failed : known.failed + told.failed
    const restMs = Math.max(known.restMs, told.restMs)
    waiting.set(key, { ...told, failed, restMs, isAnswered: known.isAnswered || told.isAnswered })
  } else waiting.set(key, told)
}

/** Exchanges until stopped. */
export function keepExchanging({ round }: Installation, sleep: World['sleep']): { stop: () => Promise<void> } {
  const stopping = new AbortController()
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await round()
      await sleep(EXCHANGE_MS, stopping.signal)
    }
  }
  const working = work()
  return {
    stop: () => {
      stopping.abort()
      return working
    },
  }
}
