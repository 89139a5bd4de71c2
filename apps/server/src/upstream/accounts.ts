/**
 * Merchants' accounts with upstreams: unseals their settings and makes a channel, which is cached until the settings
 * change.
 */
import {
  type Channel,
  type ChannelDoor,
  certificatesOf,
  isChannelName,
  makeChannel,
  type SettingsCertificate,
} from '@acopay/channels'
import { findChannelAccount, noteComplaint, type Pool } from '@acopay/store'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { growingTo } from '../growing-to.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { type MasterKeys, seal, unseal } from '../security/vault.ts'
import { circuitBreaker, type RestShare } from './circuit-breaker.ts'
import { withComplaints } from './complaints.ts'
import { counted } from './counted.ts'

const CHANNELS_MAX = 10_000

type AccountKey = { mchNo: string; channel: string }

/** The place that an account's settings are sealed for. */
export const accountPlace = ({ mchNo, channel }: AccountKey): string => `channel_account/${mchNo}/${channel}`

/** Seals an account's settings for storing. */
export const sealSettings = (master: MasterKeys, key: AccountKey, settings: object): Buffer =>
  seal(master, accountPlace(key), JSON.stringify(settings))

const DAY_MS = 24 * 3_600_000
/** Alipay issues a new certificate, and says so, 30 days before one ends. */
const SOON_MS = 30 * DAY_MS

export const endsSoon = (until: Date, now: Date): boolean => until.getTime() - now.getTime() < SOON_MS

type Parts = {
  pool: Pool
  master: MasterKeys
  door: ChannelDoor
  sandboxUrl: () => string
  log?: Pick<Logger, 'error' | 'warn'>
  metrics: Metrics
  /** Absent where this process is alone. */
  restShare?: RestShare | undefined
}

/**
 * Returns the function that finds a merchant's channel. It reads the account each time, unless its caller has just done so (`read`), so
 * that changes apply at once; null where there is none.
 */
export function channelAccounts({ pool, master, door, sandboxUrl, log, metrics, restShare }: Parts) {
  type Made = {
    sealed: Buffer
    sandbox: string
    channel: Channel
    certificates: SettingsCertificate[]
    warnAtMs: number
  }
  const cached = new LRUCache<string, Made>(growingTo(CHANNELS_MAX))
  const channelIn = (name: string): string => name.slice(name.lastIndexOf('/') + 1)
  const { guard, rests } = circuitBreaker(door.now, (name) => metrics.upstreamRest(channelIn(name)), restShare)
  metrics.watchRests(() => {
    const counts = new Map<string, number>()
    for (const { name, isResting } of rests()) {
      const channel = channelIn(name)
      counts.set(channel, (counts.get(channel) ?? 0) + (isResting ? 1 : 0))
    }
    return counts
  })
  /** Once a day for each account that is used. */
  const warnOfEnds = (key: AccountKey, made: Made): void => {
    if (made.certificates.length === 0 || door.now().getTime() < made.warnAtMs) return
    made.warnAtMs = door.now().getTime() + DAY_MS
    for (const { setting, until } of made.certificates.filter((one) => endsSoon(one.until, door.now()))) {
      log?.error({ ...key, setting, until, alarm: true }, 'a certificate of this account ends soon, or has ended')
    }
  }
  return async (mchNo: string, channel: string, read: Buffer | null = null): Promise<Channel | null> => {
    if (!isChannelName(channel)) return null
    const sealed = read ?? (await findChannelAccount(pool, mchNo, channel))
    if (sealed === null) return null
    const name = `${mchNo}/${channel}`
    const known = cached.get(name)
    // A channel that was made while the sandbox's upstreams were not listening yet has no address.
    const sandbox = sandboxUrl()
    if (known?.sealed.equals(sealed) && known.sandbox === sandbox) {
      warnOfEnds({ mchNo, channel }, known)
      return known.channel
    }
    const settings = JSON.parse(unseal(master, accountPlace({ mchNo, channel }), sealed)) as Record<string, unknown>
    const note = async (complaint: string | null): Promise<void> => {
      // A call is answered also while the database is away.
      const isNew = await noteComplaint(pool, { mchNo, channel }, complaint, door.now()).catch(() => complaint !== null)
      if (!isNew) return
      if (complaint === null) log?.warn({ mchNo, channel }, 'the upstream accepts this account again')
      else log?.error({ mchNo, channel, complaint, alarm: true }, 'the upstream refuses requests of this account')
    }
    const bare = makeChannel(channel, inTheSandbox(settings, sandbox), door)
    const fresh = guard(name, withComplaints(counted(channel, bare, metrics), note))
    const made = { sealed, sandbox, channel: fresh, certificates: certificatesOf(channel, settings), warnAtMs: 0 }
    cached.set(name, made)
    warnOfEnds({ mchNo, channel }, made)
    return fresh
  }
}

const ADDRESSES: ReadonlySet<string> = new Set(['baseUrl', 'gateway', 'authorizeUrl', 'tokenUrl', 'miniTokenUrl'])

/** The sandbox's accounts store paths. They become addresses of the stand-ins of this process. */
const inTheSandbox = (settings: Record<string, unknown>, sandboxUrl: string) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      ADDRESSES.has(name) && typeof value === 'string' && value.startsWith('/') ? sandboxUrl + value : value,
    ]),
  )
