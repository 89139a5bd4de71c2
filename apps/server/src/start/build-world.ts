/** Builds the world: the only place that connects clocks, random numbers and the database with the actions. */
import { createHmac, randomInt, randomUUID, timingSafeEqual } from 'node:crypto'
import { signedNotification, timeText } from '@acopay/protocol'
import { findMerchants, type GroupOf, type NonceUse, type Pool, rememberNonces } from '@acopay/store'
import { billLinks } from '../actions/bill/bill-links.ts'
import { callLog } from '../actions/calls/keep-calls.ts'
import { closeUntouchedTogether } from '../actions/order/close-order.ts'
import { insertOrdersTogether } from '../actions/order/place-order.ts'
import { knownMerchants, type MerchantRead } from '../http/merchant/known-merchants.ts'
import { type AlarmLines, alarmLines as newAlarmLines } from '../metrics/alarm-lines.ts'
import { type Metrics, metrics as newMetrics } from '../metrics/metrics.ts'
import { coalesced, ONE_GROUP, STATEMENTS_AT_ONCE } from '../outbound/coalesce.ts'
import type { SafePost } from '../outbound/safe-post.ts'
import { type Hashing, hashing as hashingQueue } from '../security/hashing.ts'
import { identityProvider } from '../security/identity-provider.ts'
import { knownDevices } from '../security/known-devices.ts'
import { keyedDigits } from '../security/numbers.ts'
import { passkeySiteOf } from '../security/passkey-site.ts'
import type { SigningKey } from '../security/platform-key.ts'
import type { Purpose } from '../security/purpose-keys.ts'
import { stampsOf } from '../security/stamps.ts'
import { type MasterKeys, secretsOf } from '../security/vault.ts'
import { NO_TRACES, type Tracer } from '../tracing/along.ts'
import { channelAccounts } from '../upstream/accounts.ts'
import type { RestShare } from '../upstream/circuit-breaker.ts'
import { VERSION } from '../version.ts'
import type { OverAll, World } from '../world.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'

/** A job that takes longer than this raises an alarm. */
const ALARM_AFTER_MS = 3_600_000

const MERCHANTS_PER_STATEMENT = 512
const NONCES_PER_STATEMENT = 512

export type Parts = {
  config: Config
  pool: Pool
  log: World['log']
  /** Its own where it is not said. */
  metrics?: Metrics
  alarmLines?: AlarmLines
  /** None where it is not said. */
  tracer?: Tracer
  master: MasterKeys
  purposeKey: (purpose: Purpose) => Buffer
  signingKey: () => SigningKey
  /** Sends every request to a URL that a merchant supplied. */
  outgoing: SafePost
  /** Is known once the server listens. */
  publicUrl: () => string
  /** The address of this process, to which the sandbox's upstreams send webhooks. */
  ownUrl: () => string
  /** The address of the sandbox's upstreams. */
  sandboxUrl: () => string
  /** The only clock. */
  clock: Clock
  /** One group where it is not said. */
  groupOf?: GroupOf
  /** Everybody is always in reach where it is not said. */
  overAll?: OverAll
  /** Ready where it is not said: a test's world has no start. */
  phase?: World['phase']
  /** The machine's own where it is not said. */
  hashing?: Hashing
  /** Absent where this process is alone. */
  restShare?: RestShare
  sleep: World['sleep']
}

export function buildWorld({
  config,
  pool,
  log,
  metrics = ownMetrics(config),
  alarmLines = newAlarmLines(),
  tracer = NO_TRACES,
  master,
  purposeKey,
  signingKey,
  outgoing,
  publicUrl,
  ownUrl,
  sandboxUrl,
  clock,
  groupOf = ONE_GROUP,
  overAll = (list) => list({ groupOf, reach: null }),
  phase = () => 'ready',
  hashing = hashingQueue(),
  restShare,
  sleep,
}: Parts): World {
  const { now } = clock
  const links = billLinks(purposeKey('bill link'))
  const cashierKey = purposeKey('cashier link')
  const cashierProof = ({ mchNo, transactionNo }: { mchNo: string; transactionNo: string }): Buffer =>
    createHmac('sha256', cashierKey).update(`${mchNo}/${transactionNo}`).digest()
  const { closeBudgetMs, channelCallMs, leaseMs, nonceWindowMs, auditDays } = config
  const { tryDays, hourDays, reconciliationDays } = config
  return {
    pool,
    phase,
    channelOf: channelAccounts({ pool, master, door: { fetch, now, newNonce }, sandboxUrl, log, metrics, restShare }),
    ...{ post: outgoing.post, addressOf: outgoing.addressOf, urlRefusal: outgoing.refusal },
    // In the sandbox the stand-ins run in this process, so their webhooks come to its own address.
    notifyUrl: (mchNo, channel) => `${config.mode === 'sandbox' ? ownUrl() : publicUrl()}/notify/${channel}/${mchNo}`,
    limits: {
      ...{ closeBudgetMs, channelCallMs, leaseMs, nonceWindowMs, alarmAfterMs: ALARM_AFTER_MS },
      ...{ auditDays, tryDays, hourDays, reconciliationDays },
    },
    isSandbox: config.mode === 'sandbox',
    consoleRules: consoleRulesOf(config),
    identityProvider: identityProviderOf(config, clock.steadyMs),
    ...{ groupOf, overAll },
    ...sharedStatements({ pool, now, steadyMs: clock.steadyMs, metrics, groupOf }),
    signingKey,
    signNotification: (mchNo, news, at) =>
      signedNotification(news, { mchNo, nonce: newNonce(), notifyTime: timeText(at), sign: signingKey().sign }),
    billUrl: (file) => publicUrl() + links.pathOf(file, now().getTime()),
    billLinks: links,
    callLog: callLog({ pool, log, max: config.callLogMax }),
    cashierUrl: (mchNo, transactionNo) =>
      `${publicUrl()}/cashier/${mchNo}/${transactionNo}/${cashierProof({ mchNo, transactionNo }).toString('base64url')}`,
    consoleUrl: (page) => `${publicUrl()}/console/${page}`,
    isCashierProof: (order, proof) => {
      const [given, right] = [Buffer.from(proof), Buffer.from(cashierProof(order).toString('base64url'))]
      return given.length === right.length && timingSafeEqual(given, right)
    },
    stamps: stampsOf(purposeKey),
    devices: knownDevices(purposeKey('console device'), newNonce),
    hashing,
    secrets: secretsOf(master),
    ...{ log, metrics, alarmLines, tracer },
    now,
    ...{ sureNow: clock.sureNow, aheadMs: clock.aheadMs, steadyMs: clock.steadyMs, clockDoubt: clock.doubt },
    random: Math.random,
    ...{ newDigits, newNonce, keyedDigits: keyedDigits(purposeKey('number')) },
    sleep,
  }
}

type Shared = Pick<World, 'pool' | 'now' | 'steadyMs' | 'metrics'> & { groupOf: GroupOf }

/** What callers share statements for. */
function sharedStatements({
  pool,
  now,
  steadyMs,
  metrics,
  groupOf,
}: Shared): Pick<World, 'merchants' | 'rememberNonce' | 'insertOrder' | 'closeUntouched'> {
  const findTogether = coalesced<string, MerchantRead>({
    name: 'merchant',
    run: async (_group, mchNos) => {
      const readMs = steadyMs()
      const found = await findMerchants(pool, [...new Set(mchNos)], now())
      return mchNos.map((mchNo) => ({ merchant: found.get(mchNo) ?? null, readMs }))
    },
    inFlightMax: STATEMENTS_AT_ONCE,
    sizeMax: MERCHANTS_PER_STATEMENT,
    onBatch: metrics.batch,
  })
  const rememberTogether = coalesced<NonceUse, void>({
    name: 'nonce',
    run: async (_group, uses) => {
      await rememberNonces(pool, { uses, now: now() })
      return []
    },
    inFlightMax: STATEMENTS_AT_ONCE,
    sizeMax: NONCES_PER_STATEMENT,
    onBatch: metrics.batch,
  })
  return {
    merchants: knownMerchants({ read: (mchNo) => findTogether(groupOf(mchNo), mchNo), steadyMs }),
    insertOrder: insertOrdersTogether({ pool, groupOf, onBatch: metrics.batch }),
    closeUntouched: closeUntouchedTogether({ pool, now, groupOf, onBatch: metrics.batch }),
    rememberNonce: (mchNo, nonce) => rememberTogether(groupOf(mchNo), { mchNo, nonce }),
  }
}

const consoleRulesOf = (config: Config): World['consoleRules'] => ({
  totpRoles: new Set(config.totpRoles),
  proofAboveFen: config.proofAboveFen,
  secondPersonAboveFen: config.secondPersonAboveFen,
  bulkAloneMax: config.bulkAloneMax,
  passkeySiteOf: passkeySiteOf({ publicUrl: config.publicUrl, isSandbox: config.mode === 'sandbox' }),
})

function identityProviderOf(config: Config, steadyMs: () => number): World['identityProvider'] {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: clientSecret, publicUrl } = config
  if (issuer === null || clientId === null || clientSecret === null || publicUrl === null) return null
  const name = config.oidcName ?? new URL(issuer).host
  return identityProvider({ issuer, clientId, clientSecret, name, publicUrl }, steadyMs)
}

const ownMetrics = ({ mode }: Config): Metrics => newMetrics({ version: VERSION, mode })

const newNonce = (): string => randomUUID().replaceAll('-', '')

/** Random decimal digits from the system's secure source. */
function newDigits(digits: number): string {
  let text = ''
  while (text.length < digits) text += String(randomInt(0, 1_000_000_000)).padStart(9, '0')
  return text.slice(0, digits)
}
