/** What a process that serves looks at once a minute: the key that signs, and whether it knows the database's tables. */
import { readSchema, whyNotServed } from '@acopay/store'
import type { KeyHolders } from '../security/key-places.ts'
import { loadSigningKey, type SigningKey } from '../security/platform-key.ts'
import type { MasterKeys } from '../security/vault.ts'
import type { World } from '../world.ts'

const EVERY_MINUTE_MS = 60_000

/** A key that one process adds is used by all processes within a minute. */
export function refreshKey(
  { log, pool, now }: World,
  { master, holders }: { master: MasterKeys; holders: KeyHolders },
  key: { current: SigningKey },
): () => Promise<void> {
  return async () => {
    try {
      master.refresh()
      key.current = await loadSigningKey(pool, master, now(), holders)
    } catch (error) {
      log.error({ err: error }, 'the platform key could not be read again')
    }
  }
}

/** Ends this process once the tables are no longer those that it knows: what it would write may be wrong money. */
export function watchSchema({ log, pool }: World, tellGone: (error: Error) => void): () => Promise<void> {
  return async () => {
    try {
      const wrong = whyNotServed(await readSchema(pool))
      if (wrong === null) return
      log.error({ alarm: true }, 'this program cannot serve the database any more, and ends')
      tellGone(new Error(wrong))
    } catch (error) {
      log.error({ err: error }, 'the migrations of the database could not be read')
    }
  }
}

export function everyMinute(work: () => Promise<void>): { stop: () => Promise<void> } {
  const timer = setInterval(work, EVERY_MINUTE_MS)
  return { stop: async () => clearInterval(timer) }
}
