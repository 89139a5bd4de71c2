/** An operator adds and changes merchants, their apps, their keys and their accounts with upstreams. */
import type { ChannelName } from '@acopay/channels'
import { isAccountUsed, putChannelAccount } from '@acopay/store'
import {
  type AppChange,
  type AppKey,
  changeApp as changeAppRow,
  changeMerchant as changeMerchantRow,
  endKeyNow,
  newApp,
  newMerchant,
  rotateMerchantKey,
} from '@acopay/store/console'
import { keyIdOf } from '../../security/platform-key.ts'
import { otherAccount } from '../../upstream/account-settings.ts'
import { accountPlace } from '../../upstream/accounts.ts'
import type { World } from '../../world.ts'

export type { AppChange }

/** False when the number is taken. */
export const addMerchant = (world: World, merchant: { mchNo: string; name: string }): Promise<boolean> =>
  newMerchant(world.pool, merchant, world.now())

/** An undefined value stays. A rate of null is the gateway's default. */
export const changeMerchant = async (
  world: World,
  mchNo: string,
  change: Parameters<typeof changeMerchantRow>[2],
): Promise<void> => {
  await changeMerchantRow(world.pool, mchNo, change)
  world.merchants.forget(mchNo)
}

/** False when the number is taken. */
export const addApp = (world: World, app: AppKey & { name: string }): Promise<boolean> =>
  newApp(world.pool, app, world.now())

/** An undefined value stays. False when there is no such app. */
export const changeApp = (world: World, app: AppKey, change: AppChange): Promise<boolean> =>
  changeAppRow(world.pool, app, change)

export type AddedKey = { keyId: string; publicKey: string; validFrom: Date; validUntil: null }

/** The merchant's other keys end after `overlapMs`. Null when the key is registered already. */
export async function addMerchantKey(
  world: World,
  { mchNo, publicKey, overlapMs }: { mchNo: string; publicKey: string; overlapMs: number },
): Promise<AddedKey | null> {
  const now = world.now()
  const keyId = keyIdOf(publicKey)
  const othersUntil = new Date(now.getTime() + overlapMs)
  const isNew = await rotateMerchantKey(world.pool, { mchNo, keyId, publicKey }, othersUntil, now)
  world.merchants.forget(mchNo)
  return isNew ? { keyId, publicKey, validFrom: now, validUntil: null } : null
}

export async function endMerchantKey(world: World, key: { mchNo: string; keyId: string }) {
  const ended = await endKeyNow(world.pool, key, world.now())
  world.merchants.forget(key.mchNo)
  return ended
}

type Settings = Record<string, unknown>

/**
 * Seals and stores an account's settings, and returns null. An account that has attempts cannot become another account: then
 * nothing is stored, and the answer names the setting that may not change.
 */
export async function saveChannelAccount(
  world: World,
  key: { mchNo: string; channel: ChannelName },
  { before, settings }: { before: Settings | null; settings: Settings },
): Promise<string | null> {
  const other = otherAccount(key.channel, before, settings)
  if (other !== null && (await isAccountUsed(world.pool, key.mchNo, key.channel))) return other
  const settingsSealed = world.secrets.seal(accountPlace(key), JSON.stringify(settings))
  await putChannelAccount(world.pool, { ...key, settingsSealed }, world.now())
  return null
}
