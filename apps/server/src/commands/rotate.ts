/**
 * `acopay-server rotate`: changes the platform key, with which answers are signed, and the master key, with which secrets are sealed.
 * Both while gateways run. docs/keys.md tells when.
 */
import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  endPlatformKey,
  type ListedPlatformKey,
  listPlatformKeys,
  type Pool,
  platformKeys,
  replaceSealed,
  SEALED_TABLES,
  type SealedTable,
  type SealedValue,
  sealedValues,
} from '@acopay/store'
import { alarmChannelPlace } from '../actions/alarm/send.ts'
import { totpPlace } from '../actions/console/second-factor.ts'
import { type KeyHolders, type KeyPlace, keyHolders, readPlace } from '../security/key-places.ts'
import { addKeyAt, addNextKey, KEY_DAYS_MAX, platformKeyPlace } from '../security/platform-key.ts'
import { purposePlace } from '../security/purpose-keys.ts'
import {
  headOf,
  loadMasterKeys,
  type MasterKeys,
  masterKeyFile,
  newMasterKey,
  seal,
  secretsOf,
  unseal,
  writeMasterKeys,
} from '../security/vault.ts'
import { type Config, readConfig } from '../start/config.ts'
import { openDatabase, prepareSchema } from '../start/database.ts'
import { inHome } from '../start/home.ts'
import { accountPlace } from '../upstream/accounts.ts'
import { nowOf } from './now.ts'
import type { OperatorCommand } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

const USAGE = [
  'keys                        平台密钥及其有效期 the platform keys and their times',
  'platform [--days 7]         新平台密钥，7天后开始签名 a new platform key, which signs in 7 days',
  '         [--key env|file:PATH|signer:NAME]  私钥不入库 one that stays where it is, see docs/keys.md',
  'end KEY_ID                  平台密钥从现在起不再签名 a platform key signs no more',
  'master                      新主密钥，重新加密所有秘密 a new master key; seals every secret again',
  'forget                      删除旧主密钥 removes the master keys before it',
].join('\n')

const DAY_MS = 24 * 3_600_000
const DAYS_AHEAD = 7
/** A gateway reads the file once a minute. Until it has, it may seal with the key before. */
const KNOWN_AFTER_MS = 120_000
const SEALED_AT_ONCE = 500

type Tools = { pool: Pool; config: Config; master: MasterKeys; now: Date; say: (line: string) => void }

/** No error repeats a key. */
export const rotate: OperatorCommand = {
  usage: USAGE,
  zh: '更换平台密钥与主密钥',
  en: 'change the platform key and the master key',
  async run([what = '', ...args], { env, defaultHome, say }) {
    const turn = Object.hasOwn(TURNS, what) ? TURNS[what] : undefined
    if (turn === undefined) throw new UsageError(USAGE)
    const config = readConfig(env, defaultHome)
    const master = await inHome(config, async () => loadMasterKeys(config))
    const { pool, close } = await openDatabase(config)
    try {
      await prepareSchema(config, pool)
      await turn({ pool, config, master, now: await nowOf(pool), say }, args)
      return 0
    } finally {
      await close()
    }
  },
}

const TURNS: Record<string, (tools: Tools, args: string[]) => Promise<void>> = {
  async keys({ pool, now, say }) {
    const [signing] = await platformKeys(pool, now)
    for (const key of await listPlatformKeys(pool)) {
      say(`${key.keyId.padEnd(16)}  ${validity(key)}${key.keyId === signing?.keyId ? '  签名中 signs now' : ''}`)
    }
  },

  async platform({ pool, config, master, now, say }, args) {
    const { days, place } = readOptions(args)
    const validFrom = new Date(now.getTime() + days * DAY_MS)
    const keyId =
      place === null
        ? await addNextKey(pool, secretsOf(master), validFrom)
        : await withHolders(config, (holders) => addKeyAt(pool, secretsOf(master), validFrom, { place, holders }))
    const added = (await listPlatformKeys(pool)).find((key) => key.keyId === keyId)
    say(`新平台密钥 new platform key ${keyId}: ${validFrom.toISOString()} 起签名 (signs from then on, within a minute)`)
    say(`公钥 public key, 请通知各商户 (tell every merchant):\n${added?.publicKey}`)
  },

  async end({ pool, now, say }, [keyId = '']) {
    const ended = await endPlatformKey(pool, keyId, now)
    if (ended === 'absent') throw new Error(`没有平台密钥 ${keyId} (no such platform key, or ended)`)
    if (ended === 'last') {
      throw new Error(
        '没有其他密钥可以签名，请先运行 acopay-server rotate platform --days 0 (no other key can sign: run that first)',
      )
    }
    say(`平台密钥 ${keyId} 不再签名 (signs no more). 它签过的仍可验证 (what it has signed still verifies)`)
  },

  async master({ pool, config, master, say }) {
    if (config.masterKeys.length === 1) {
      throw new Error(
        'ACOPAY_MASTER_KEY 只有一个密钥。请先加上新密钥，步骤见 docs/keys.md (has only one key: add the new one first, see docs/keys.md)',
      )
    }
    // A rotation that was broken off goes on with the key that it has made.
    const isUnderWay = master.keys.length > 1 && (await isAnyOlder(pool, master))
    if (config.masterKeys.length === 0 && !isUnderWay) {
      writeMasterKeys(config.home, [newMasterKey(), ...master.keys])
      master.refresh()
      say(`新主密钥 new master key: ${masterKeyFile(config.home)} 第一行 (its first line)`)
    }
    await sealAgain(pool, master, say)
    say(
      '旧主密钥仍可解密。两分钟后运行 acopay-server rotate forget (the key before still unseals: run this in two minutes)',
    )
  },

  async forget({ pool, config, master, say }) {
    if (config.masterKeys.length === 0 && Date.now() - statSync(masterKeyFile(config.home)).mtimeMs < KNOWN_AFTER_MS) {
      throw new Error(
        '网关可能尚未读到新主密钥，请两分钟后再试 (gateways may not know the new master key yet: try again in two minutes)',
      )
    }
    await sealAgain(pool, master, say)
    const [newest, ...older] = master.keys
    if (config.masterKeys.length > 0) {
      say(
        '所有秘密已用第一个主密钥加密，可从 ACOPAY_MASTER_KEY 中删除其余的 (all is sealed with the first one: remove the others)',
      )
      return
    }
    writeMasterKeys(config.home, [newest])
    say(`已删除 ${older.length} 个旧主密钥 (removed the master keys before it)`)
  },
}

const validity = ({ validFrom, validUntil }: ListedPlatformKey): string =>
  `${validFrom.toISOString()} – ${validUntil?.toISOString() ?? ''}`

/** `place` is null for a key that is made here and sealed in the database. */
function readOptions(args: string[]): { days: number; place: KeyPlace | null } {
  const { days, key } = readArgs(args)
  if (!/^\d{1,2}$/.test(days) || Number(days) > KEY_DAYS_MAX) {
    throw new Error(`--days 应为0到${KEY_DAYS_MAX}的整数 (0 to ${KEY_DAYS_MAX})`)
  }
  return { days: Number(days), place: key === undefined ? null : readPlace(key) }
}

function readArgs(args: string[]): { days: string; key: string | undefined } {
  try {
    const { values } = parseArgs({ args, options: { days: { type: 'string' }, key: { type: 'string' } } })
    return { days: values.days ?? String(DAYS_AHEAD), key: values.key }
  } catch {
    throw new UsageError(USAGE)
  }
}

async function withHolders<Result>(config: Config, work: (holders: KeyHolders) => Promise<Result>): Promise<Result> {
  const holders = keyHolders(config)
  try {
    return await work(holders)
  } finally {
    holders.signer?.stop()
  }
}

/** What a value is sealed for: its table and row. */
export const PLACES: Record<SealedTable, (key: string[]) => string> = {
  platform_key: ([keyId = '']) => platformKeyPlace(keyId),
  purpose_key: ([purpose = '']) => purposePlace(purpose),
  channel_account: ([mchNo = '', channel = '']) => accountPlace({ mchNo, channel }),
  console_user: ([username = '']) => totpPlace(username),
  alarm_channel: ([channelId = '']) => alarmChannelPlace(channelId),
}

async function isAnyOlder(pool: Pool, master: MasterKeys): Promise<boolean> {
  const head = headOf(master)
  for (const table of SEALED_TABLES) {
    if ((await sealedValues(pool, { table, head, after: null }, 1)).length > 0) return true
  }
  return false
}

/** Seals everything with the newest key. Whatever a gateway seals meanwhile is found at the next turn. */
async function sealAgain(pool: Pool, master: MasterKeys, say: (line: string) => void): Promise<void> {
  const head = headOf(master)
  for (const table of SEALED_TABLES) {
    let done = 0
    for (let after: string[] | null = null; ; ) {
      const values: SealedValue[] = await sealedValues(pool, { table, head, after }, SEALED_AT_ONCE)
      for (const value of values) done += (await sealOneAgain(pool, master, value)) ? 1 : 0
      if (values.length < SEALED_AT_ONCE) break
      after = values.at(-1)?.key ?? null
      say(`${table}: ${done} …`)
    }
    say(`${table}: ${done} 重新加密 sealed again`)
  }
}

async function sealOneAgain(pool: Pool, master: MasterKeys, value: SealedValue): Promise<boolean> {
  const place = PLACES[value.table](value.key)
  let secret: string
  try {
    secret = unseal(master, place, value.sealed)
  } catch {
    throw new Error(`没有主密钥可以解密 ${place} (no master key unseals it)`)
  }
  return replaceSealed(pool, value, seal(master, place, secret))
}
