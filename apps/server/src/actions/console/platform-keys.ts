/** Changing the key with which the platform signs, from the console; `npm run rotate` does the same without one. */
import { DAY_MS } from '@acopay/core'
import { endPlatformKey } from '@acopay/store'
import { addNextKey } from '../../security/platform-key.ts'
import type { World } from '../../world.ts'

/** A new key that signs `days` from now. Returns its id. */
export const addPlatformKeyIn = (world: World, days: number): Promise<string> =>
  addNextKey(world.pool, world.secrets, new Date(world.now().getTime() + days * DAY_MS))

/** Within a minute no process signs with it any more. 'owner only': the database's serving role may add keys, and end none. */
export async function endPlatformKeyNow(
  world: World,
  keyId: string,
): Promise<'ended' | 'absent' | 'last' | 'owner only'> {
  try {
    return await endPlatformKey(world.pool, keyId, world.now())
  } catch (error) {
    if ((error as { code?: unknown }).code === INSUFFICIENT_PRIVILEGE) return 'owner only'
    throw error
  }
}

const INSUFFICIENT_PRIVILEGE = '42501'
