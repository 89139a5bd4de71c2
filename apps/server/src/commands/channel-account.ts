/** `acopay-server channel-account`: adds or changes a merchant's account with an upstream. May run while the gateway runs. */
import { readFileSync } from 'node:fs'
import { type ChannelName, INSTALLED, isChannelName } from '@acopay/channels'
import { parseJson } from '@acopay/protocol'
import { findChannelAccount, findMerchant, isAccountUsed, type Pool, putChannelAccount } from '@acopay/store'
import { provenPlatformKeys } from '../security/platform-key.ts'
import { loadMasterKeys, type MasterKeys, unseal } from '../security/vault.ts'
import { readConfig } from '../start/config.ts'
import { openDatabase, prepareSchema } from '../start/database.ts'
import { inHome } from '../start/home.ts'
import { OTHER_ACCOUNT, otherAccount, settingsProblem } from '../upstream/account-settings.ts'
import { accountPlace, sealSettings } from '../upstream/accounts.ts'
import { nowOf } from './now.ts'
import type { OperatorCommand, OperatorIo } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

const USAGE = `MCH_NO ${Object.keys(INSTALLED).join('|')} SETTINGS.json [--anew]`

export const channelAccount: OperatorCommand = {
  usage: USAGE,
  zh: '添加或修改商户的渠道账户',
  en: "add or change a merchant's account with a channel",
  run: async (args, io) => {
    io.say(await putAccount(args, io))
    return 0
  },
}

/**
 * Returns a line that says what was saved. No error repeats a key. `--anew` takes the settings although those before cannot be unsealed,
 * because their master key is lost: whether it is the same account is then for the operator to know.
 */
async function putAccount([mchNo, channel, file, option]: string[], { env, defaultHome }: OperatorIo): Promise<string> {
  const name = channel ?? ''
  if (mchNo === undefined || file === undefined || !isChannelName(name)) throw new UsageError(USAGE)
  if (option !== undefined && option !== '--anew') throw new UsageError(USAGE)
  const settings = readSettings(name, file)
  const config = readConfig(env, defaultHome)
  const master = await inHome(config, async () => loadMasterKeys(config))
  const { pool, close } = await openDatabase(config)
  try {
    await prepareSchema(config, pool)
    const now = await nowOf(pool)
    if ((await findMerchant(pool, mchNo, now)) === null) throw new Error(`没有商户 ${mchNo} (no such merchant)`)
    const sealed = await findChannelAccount(pool, mchNo, name)
    const key = { mchNo, channel: name }
    const before = sealed === null ? null : (unsealed(master, key, sealed) ?? (await lost(pool, master, option)))
    const other = otherAccount(name, before, settings)
    if (other !== null && (await isAccountUsed(pool, mchNo, name))) {
      throw new Error(`${other} ${OTHER_ACCOUNT.zh} (${OTHER_ACCOUNT.en})`)
    }
    const settingsSealed = sealSettings(master, { mchNo, channel: name }, settings)
    await putChannelAccount(pool, { mchNo, channel: name, settingsSealed }, now)
    return `已保存 saved: ${mchNo} ${name}`
  } finally {
    await close()
  }
}

function readSettings(channel: ChannelName, file: string): Record<string, unknown> {
  let settings: Record<string, unknown>
  try {
    settings = parseJson(readFileSync(file, 'utf8')) as Record<string, unknown>
  } catch {
    throw new Error(`读不到JSON文件 (cannot read as JSON): ${file}`)
  }
  const problem = settingsProblem(channel, settings ?? {}, new Date())
  if (problem !== null) throw new Error(`${problem.zh} (${problem.en}): ${file}`)
  return settings
}

/** Null: another master key has sealed it. */
function unsealed(
  master: MasterKeys,
  key: { mchNo: string; channel: string },
  sealed: Buffer,
): Record<string, unknown> | null {
  try {
    return JSON.parse(unseal(master, accountPlace(key), sealed)) as Record<string, unknown>
  } catch {
    return null
  }
}

/** Nothing is known of the account before, where its master key is lost and this one is the gateway's now. */
async function lost(pool: Pool, master: MasterKeys, option: string | undefined): Promise<null> {
  const isOurs = (await provenPlatformKeys(pool, master)).length > 0
  if (isOurs && option === '--anew') return null
  throw new Error(
    isOurs
      ? '原有设置由已丢失的主密钥加密；确认是同一账号后加 --anew (the settings before were sealed with a master key that is lost: if it is the same account, add --anew)'
      : '主密钥与网关的不同，请设置与网关相同的 ACOPAY_HOME 或 ACOPAY_MASTER_KEY (this is not the gateway’s master key: set the same ACOPAY_HOME or ACOPAY_MASTER_KEY)',
  )
}
