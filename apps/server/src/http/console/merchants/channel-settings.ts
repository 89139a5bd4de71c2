/** Merchants' accounts with upstreams. Secrets can be written here, and no answer contains them. */

import { type ChannelName, certificatesOf, INSTALLED, isChannelName } from '@acopay/channels'
import { parseJson } from '@acopay/protocol'
import type { ChannelAccountRow, ChannelTest } from '@acopay/protocol/console'
import type { readMerchantParts } from '@acopay/store/read'
import { hidden } from '../../../actions/console/audit.ts'
import { saveChannelAccount } from '../../../actions/console/merchants.ts'
import { CHANNEL_SETTINGS, OTHER_ACCOUNT, settingsProblem } from '../../../upstream/account-settings.ts'
import { accountPlace, endsSoon } from '../../../upstream/accounts.ts'
import { callUpstream, within } from '../../../upstream/call-upstream.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed } from '../call.ts'
import { auditedMerchant, merchantAt } from './merchant-at.ts'

type Parts = NonNullable<Awaited<ReturnType<typeof readMerchantParts>>>
type Settings = Record<string, unknown>

const TEXT_MAX = 10_000

function settingsOf(world: World, { merchant, accounts }: Parts, channel: string): Settings | null {
  const account = accounts.find((one) => one.channel === channel)
  if (account === undefined) return null
  const place = accountPlace({ mchNo: merchant.mchNo, channel })
  return JSON.parse(world.secrets.unseal(place, account.settingsSealed)) as Settings
}

export const accountRows = (world: World, parts: Parts): ChannelAccountRow[] =>
  Object.keys(INSTALLED)
    .filter(isChannelName)
    .map((channel) => {
      const settings = settingsOf(world, parts, channel)
      const account = parts.accounts.find((one) => one.channel === channel)
      return {
        channel,
        is_configured: account !== undefined,
        changed_at: account?.changedAt.toISOString() ?? null,
        complaint: account?.complaint ?? null,
        complained_at: account?.complainedAt?.toISOString() ?? null,
        certificates: settings === null ? [] : certificateRows(channel, settings, world.now()),
        settings: CHANNEL_SETTINGS[channel].map(({ name, label, isSecret }) => {
          const text = textOf(settings?.[name])
          return { name, label, is_secret: isSecret, is_set: text !== null, value: isSecret ? null : text }
        }),
      }
    })

const certificateRows = (channel: ChannelName, settings: Settings, now: Date): ChannelAccountRow['certificates'] =>
  certificatesOf(channel, settings).map(({ setting, until }) => ({
    setting,
    valid_until: until.toISOString(),
    ends_soon: endsSoon(until, now),
  }))

/** Null for a setting that is not set. */
function textOf(value: unknown): string | null {
  if (value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const NO_CHANNEL = () => failed('NOT_FOUND', '没有这个渠道', 'There is no such channel')
const channelIn = ({ path: { channel = '' } }: ConsoleCall): ChannelName | null =>
  isChannelName(channel) ? channel : null

async function put(world: World, call: ConsoleCall): Promise<object | Failed> {
  const found = await merchantAt(world, call)
  if (found instanceof Failed) return found
  const channel = channelIn(call)
  if (channel === null) return NO_CHANNEL()
  const given = call.body.settings
  if (typeof given !== 'object' || given === null) {
    return failed('FIELD_INVALID', 'settings 应为对象', 'settings should be an object', { field: 'settings' })
  }
  const before = settingsOf(world, found, channel)
  const long = CHANNEL_SETTINGS[channel].find(({ name }) => givenText(given as Settings, name).length > TEXT_MAX)
  if (long !== undefined) {
    return failed('FIELD_INVALID', `${long.name} 过长`, `${long.name} is too long`, { field: long.name })
  }
  const settings = settingsAfter(channel, before, given as Settings)
  const problem = settingsProblem(channel, settings, world.now())
  if (problem !== null) return failed('FIELD_INVALID', problem.zh, problem.en, { field: problem.field })
  const other = await saveChannelAccount(world, { mchNo: found.merchant.mchNo, channel }, { before, settings })
  if (other !== null) {
    return failed('CONFLICT', `${other} ${OTHER_ACCOUNT.zh}`, `${other}: ${OTHER_ACCOUNT.en}`, { field: other })
  }
  return {}
}

function givenText(given: Settings, name: string): string {
  const { [name]: value } = given
  return typeof value === 'string' ? value : ''
}

/** Empty fields keep their stored values, and a dash takes an optional setting away. */
function settingsAfter(channel: ChannelName, before: Settings | null, given: Settings): Settings {
  const settings: Settings = { ...before }
  for (const { name, isOptional } of CHANNEL_SETTINGS[channel]) {
    const text = givenText(given, name).trim()
    if (text === '') continue
    if (isOptional && text === '-') delete settings[name]
    else settings[name] = name === 'platformKeys' ? listOf(text) : text
  }
  return settings
}

function listOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return null
  }
}

/** The number of a trade that does not exist. An upstream that accepts our credentials answers that it is absent. */
const NO_TRADE = `AT${'0'.repeat(30)}`

async function test(world: World, call: ConsoleCall): Promise<ChannelTest | Failed> {
  const found = await merchantAt(world, call)
  if (found instanceof Failed) return found
  const name = channelIn(call)
  const channel = name === null ? null : await world.channelOf(found.merchant.mchNo, name)
  if (channel === null) return NO_CHANNEL()
  const startMs = world.steadyMs()
  const answer = await callUpstream(world, within(world, world.limits.channelCallMs), (signal) =>
    channel.query({ attemptNo: NO_TRADE }, signal),
  )
  const ms = world.steadyMs() - startMs
  if (answer.kind !== 'unknown')
    return { is_fine: true, ms, message: { zh: '上游认可此账户', en: 'The upstream knows this account' } }
  return {
    is_fine: false,
    ms,
    message: { zh: `上游没有认可：${answer.why}`, en: `The upstream did not accept it: ${answer.why}` },
  }
}

/** The account's settings; of a secret one, only whether it is another one. */
async function accountState(world: World, call: ConsoleCall): Promise<Record<string, unknown>> {
  const found = await merchantAt(world, call)
  const channel = channelIn(call)
  if (found instanceof Failed || channel === null) return {}
  const settings = settingsOf(world, found, channel)
  const shown = CHANNEL_SETTINGS[channel].map(({ name, isSecret }) => {
    const text = textOf(settings?.[name])
    return [name, isSecret && text !== null ? hidden(world, text) : text]
  })
  return Object.fromEntries(shown)
}

const write = { permission: 'channels.write', audited: auditedMerchant } as const

export const channelEndpoints: ConsoleEndpoint[] = [
  {
    method: 'PUT',
    path: 'merchants/:mch_no/channels/:channel',
    ...write,
    needsProof: () => true,
    action: 'channels.put',
    stateOf: accountState,
    handle: put,
  },
  { method: 'POST', path: 'merchants/:mch_no/channels/:channel/test', ...write, action: 'channels.test', handle: test },
]
