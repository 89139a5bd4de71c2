/** Merchants' accounts with upstreams: opened from their seals, made into channels, kept while their seal is the same. */
import { type Channel, type ChannelDoor, isChannelName, makeChannel } from '@acopay/channels'
import { findChannelAccount, type Pool } from '@acopay/store'
import { LRUCache } from 'lru-cache'
import { seal, unseal } from '../security/vault.ts'
import { circuitBreaker } from './circuit-breaker.ts'

const CHANNELS_MAX = 10_000

type AccountKey = { mchNo: string; channel: string }

/** Where an account's settings lie: what their seal is made for. */
export const accountPlace = ({ mchNo, channel }: AccountKey): string => `channel_account/${mchNo}/${channel}`

/** Settings of an account as they are stored. */
export const sealSettings = (masterKey: Buffer, key: AccountKey, settings: object): Buffer =>
  seal(masterKey, accountPlace(key), JSON.stringify(settings))

type Parts = { pool: Pool; masterKey: Buffer; door: ChannelDoor; sandboxUrl: () => string }

/** Reads the account each time, so that a changed one is used at once; null where there is none. */
export function channelAccounts({ pool, masterKey, door, sandboxUrl }: Parts) {
  const made = new LRUCache<string, { sealed: Buffer; channel: Channel }>({ max: CHANNELS_MAX })
  const guarded = circuitBreaker(door.now)
  return async (mchNo: string, channel: string): Promise<Channel | null> => {
    if (!isChannelName(channel)) return null
    const sealed = await findChannelAccount(pool, mchNo, channel)
    if (sealed === null) return null
    const name = `${mchNo}/${channel}`
    const known = made.get(name)
    if (known?.sealed.equals(sealed)) return known.channel
    const settings = JSON.parse(unseal(masterKey, accountPlace({ mchNo, channel }), sealed)) as Record<string, unknown>
    const fresh = guarded(name, makeChannel(channel, inTheSandbox(settings, sandboxUrl()), door))
    made.set(name, { sealed, channel: fresh })
    return fresh
  }
}

const ADDRESSES: ReadonlySet<string> = new Set(['baseUrl', 'gateway', 'authorizeUrl', 'tokenUrl'])

/** The sandbox's accounts name paths: wherever this process has its upstreams. */
const inTheSandbox = (settings: Record<string, unknown>, sandboxUrl: string) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      ADDRESSES.has(name) && typeof value === 'string' && value.startsWith('/') ? sandboxUrl + value : value,
    ]),
  )
