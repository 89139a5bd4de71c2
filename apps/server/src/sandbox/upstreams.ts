/**
 * Sandbox mode only: stand-ins of WeChat Pay and Alipay inside this server, so that a developer's machine runs the same code as
 * production. They keep their state in the database, so that all processes share it and a crash loses nothing. Their keys
 * protect no money.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { type ChannelName, isChannelName } from '@acopay/channels'
import { keyText } from '@acopay/protocol'
import { findChannelAccount, type Pool, putChannelAccount } from '@acopay/store'
import { sandboxBooks } from '@acopay/store/sandbox'
import {
  FAULTS,
  type Fault,
  type Faults,
  listen,
  makeAlipayStandIn,
  makeWechatStandIn,
  type StandIn,
  type StandInWorld,
  seededFaults,
} from '@acopay/upstreams'
import type { MasterKeys } from '../security/vault.ts'
import { sealSettings } from '../upstream/accounts.ts'
import type { World } from '../world.ts'
import { DEMO } from './demo-merchant.ts'
import { type FaultShare, sharedFaults } from './shared-faults.ts'

/** A fixed seed, so that random faults happen at the same calls in every run. */
const FAULTS_SEED = 20260101

const DELIVERY_MS = 5_000

/** The list of faults in a request, or a text that says what is wrong with it. */
export function readFaults(value: unknown): Fault[] | string {
  if (!Array.isArray(value)) return '应为数组 (should be a list)'
  const wrong = value.find((fault: Partial<Fault> | null) => !FAULTS.some((kind) => kind === fault?.kind))
  return wrong === undefined ? (value as Fault[]) : `kind 应为 (should be one of) ${FAULTS.join(' | ')}`
}

/** The path of each stand-in below their common address. */
const MOUNTS: Record<ChannelName, string> = { wechat: '/wechat', alipay: '/alipay' }

type Pair = { privateKey: string; publicKey: string }

function newPair(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { privateKey: keyText(privateKey), publicKey: keyText(publicKey) }
}

/** New accounts with both upstreams. */
export const newSettings = () => ({
  wechat: {
    mchId: '1900000001',
    appId: 'wx0000000000000001',
    serialNo: randomBytes(20).toString('hex').toUpperCase(),
    platformId: 'PUB_KEY_ID_0119000000012026010100',
    apiV3Key: randomBytes(16).toString('hex'),
    merchant: newPair(),
    platform: newPair(),
    appSecret: randomBytes(16).toString('hex'),
    miniAppId: 'wx0000000000000002',
    miniAppSecret: randomBytes(16).toString('hex'),
  },
  alipay: {
    appId: '2021000000000001',
    sellerId: '2088000000000001',
    productCode: 'QR_CODE_OFFLINE',
    merchant: newPair(),
    platform: newPair(),
  },
})

type NewSettings = ReturnType<typeof newSettings>
/** As an earlier version may have stored them. */
type Settings = Omit<NewSettings, 'alipay'> & {
  alipay: Omit<NewSettings['alipay'], 'productCode'> & { productCode?: string }
}

export type SandboxUpstreams = {
  /** Reads or makes the keys, adds the demo merchant's accounts, and listens where this is the process that does. Call it first. */
  open: (master: MasterKeys) => Promise<void>
  /** Their address. It has a port of its own, so that they still answer while a stopping gateway finishes its calls. */
  url: () => string
  stop: () => Promise<void>
  of: (channel: string) => StandIn
  faults: (channel: ChannelName) => Faults
  /** The payer's app opens an order of Alipay's for apps: until then Alipay does not know it. Other attempts stay as they are. */
  openInApp: (attempt: { channel: string; method: string; payUrl: string | null }) => Promise<void>
  /** Sends every webhook that is due. */
  deliverDue: () => Promise<void>
}

/** Where a gateway has several processes: which of them listens as the upstreams. */
export type UpstreamsPlace = {
  /** Null where it is this one. */
  url: string | null
  share: FaultShare
}

const HERE: UpstreamsPlace = { url: null, share: { tell: () => {}, hear: () => {} } }

export function sandboxUpstreams(
  pool: Pool,
  world: Pick<World, 'now' | 'sleep' | 'log'>,
  { url: elsewhere, share } = HERE,
): SandboxUpstreams {
  const books = sandboxBooks(pool)
  const faultsOf = (channel: ChannelName): Faults => sharedFaults(channel, seededFaults(FAULTS_SEED), share)
  const faults: Record<ChannelName, Faults> = { wechat: faultsOf('wechat'), alipay: faultsOf('alipay') }
  let standIns: Record<ChannelName, StandIn> | null = null
  let listener: { url: string; stop: () => Promise<void> } | null = null
  const of = (channel: string): StandIn => {
    if (!isChannelName(channel)) throw new Error(`there is no channel ${channel}`)
    if (standIns === null) throw new Error('the sandbox is not open yet')
    return standIns[channel]
  }
  return {
    of,
    faults: (channel) => faults[channel],
    async openInApp({ channel, method, payUrl }) {
      if (channel !== 'alipay' || method !== 'app' || payUrl === null) return
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      await of(channel).handle({ method: 'POST', url: `${MOUNTS.alipay}/gateway.do`, headers, body: payUrl })
    },
    async open(master) {
      const settings = await books.change('settings', (before) => {
        if (before !== null) return { after: null, result: before as Settings }
        const made = newSettings()
        return { after: made, result: made }
      })
      for (const [channel, account] of Object.entries(accountsOf(settings)) as [ChannelName, object][]) {
        if ((await findChannelAccount(pool, DEMO.mchNo, channel)) !== null) continue
        const settingsSealed = sealSettings(master, { mchNo: DEMO.mchNo, channel }, account)
        await putChannelAccount(pool, { mchNo: DEMO.mchNo, channel, settingsSealed }, world.now())
      }
      const worldOf = (channel: ChannelName): StandInWorld => ({ ...world, books, faults: faults[channel], deliver })
      standIns = standInsOf(settings, worldOf)
      if (elsewhere !== null) return
      const mounted = Object.entries(standIns) as [ChannelName, StandIn][]
      listener = await listen(async (request) => {
        const found = mounted.find(([channel]) => request.url.startsWith(`${MOUNTS[channel]}/`))
        return found?.[1].handle(request) ?? { status: 404, headers: {}, body: '' }
      })
    },
    url: () => elsewhere ?? listener?.url ?? '',
    stop: async () => listener?.stop(),
    async deliverDue() {
      if (standIns === null) return
      for (const { control } of Object.values(standIns)) {
        await control
          .deliverDue()
          .catch((err: unknown) => world.log.warn({ err }, 'the sandbox could not send a webhook'))
      }
    },
  }
}

/** The upstreams' side of these accounts. */
export const standInsOf = (
  { wechat, alipay }: Settings,
  worldOf: (channel: ChannelName) => StandInWorld,
): Record<ChannelName, StandIn> => ({
  wechat: makeWechatStandIn(
    {
      mchId: wechat.mchId,
      appId: wechat.appId,
      apiV3Key: wechat.apiV3Key,
      merchantPublicKey: wechat.merchant.publicKey,
      merchantSerial: wechat.serialNo,
      appSecret: wechat.appSecret,
      miniAppId: wechat.miniAppId,
      miniAppSecret: wechat.miniAppSecret,
      platformPrivateKey: wechat.platform.privateKey,
      platformSerial: wechat.platformId,
    },
    worldOf('wechat'),
  ),
  alipay: makeAlipayStandIn(
    {
      appId: alipay.appId,
      sellerId: alipay.sellerId,
      appPublicKey: alipay.merchant.publicKey,
      alipayPrivateKey: alipay.platform.privateKey,
      // Sandboxes of before have none.
      ...(alipay.productCode === undefined ? {} : { productCode: alipay.productCode }),
    },
    worldOf('alipay'),
  ),
})

/** The merchant's side of these accounts. Addresses that begin with `/` are below the stand-ins' address. */
export const accountsOf = ({ wechat, alipay }: Settings): Record<ChannelName, object> => ({
  wechat: {
    baseUrl: MOUNTS.wechat,
    appId: wechat.appId,
    mchId: wechat.mchId,
    serialNo: wechat.serialNo,
    mchPrivateKey: wechat.merchant.privateKey,
    apiV3Key: wechat.apiV3Key,
    appSecret: wechat.appSecret,
    authorizeUrl: `${MOUNTS.wechat}/connect/oauth2/authorize`,
    tokenUrl: `${MOUNTS.wechat}/sns/oauth2/access_token`,
    miniAppId: wechat.miniAppId,
    miniAppSecret: wechat.miniAppSecret,
    miniTokenUrl: `${MOUNTS.wechat}/sns/jscode2session`,
    platformKeys: [{ id: wechat.platformId, publicKey: wechat.platform.publicKey }],
  },
  alipay: {
    gateway: `${MOUNTS.alipay}/gateway.do`,
    appId: alipay.appId,
    sellerId: alipay.sellerId,
    appPrivateKey: alipay.merchant.privateKey,
    alipayPublicKey: alipay.platform.publicKey,
    ...(alipay.productCode === undefined ? {} : { productCode: alipay.productCode }),
    authorizeUrl: `${MOUNTS.alipay}/oauth2/publicAppAuthorize.htm`,
  },
})

async function deliver(url: string, headers: Record<string, string>, body: string) {
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(DELIVERY_MS),
  })
  return { status: response.status, body: await response.text() }
}
