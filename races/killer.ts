/** `kill -9` in the middle of a run: of a gateway, of the database, of everything. */
import { setTimeout as pause } from 'node:timers/promises'
import { diceOf } from './dice.ts'
import type { Room } from './room.ts'

const KINDS = ['gateway', 'gateway', 'gateway', 'database', 'everything'] as const

/** Kills a few seconds after all gateways and the database have started again. */
export function startKiller({ seed, gateways, house, say }: Room) {
  const dice = diceOf(seed, 'kills')
  const over = new AbortController()
  const all = Array.from({ length: gateways }, (_, index) => index)
  const killOnce = (): void => {
    const what = dice.pick(KINDS)
    const dying = { gateway: () => [dice.between(0, gateways - 1)], database: () => [], everything: () => all }[what]()
    say(`kill -9: ${what}${what === 'gateway' ? ` ${(dying[0] ?? 0) + 1}` : ''}`)
    house.kill({ gateways: dying, database: what !== 'gateway' })
  }
  const killing = (async () => {
    while (!over.signal.aborted) {
      await pause(dice.between(1_500, 6_000), undefined, { signal: over.signal }).catch(() => {})
      if (!over.signal.aborted && house.isWhole()) killOnce()
    }
  })()
  return {
    stop: async (): Promise<void> => {
      over.abort()
      await killing
    },
  }
}
