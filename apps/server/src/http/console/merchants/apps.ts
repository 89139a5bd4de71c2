/** A merchant's apps: which channels they offer, where their payers go back to, and what these see of the shop. */
import { INSTALLED } from '@acopay/channels'
import { type AppRow, isColor, RETURN_URL_MAX } from '@acopay/protocol/console'
import type { readMerchantParts } from '@acopay/store/read'
import { type AppChange, addApp, changeApp } from '../../../actions/console/merchants.ts'
import { readLogoFile } from '../../../security/logo-file.ts'
import { returnUrlOf } from '../../../security/return-url.ts'
import type { World } from '../../../world.ts'
import { logoPath } from '../../logo-path.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { auditedMerchant, merchantAt, merchantState, newNumberIn } from './merchant-at.ts'

const CHANNELS = Object.keys(INSTALLED)

type AppPart = NonNullable<Awaited<ReturnType<typeof readMerchantParts>>>['apps'][number]
type Fields = ReturnType<typeof fieldsOf>

export const appRow = (mchNo: string, one: AppPart): AppRow => ({
  app_no: one.appNo,
  name: one.name,
  enabled: one.isEnabled,
  channels: one.channels,
  return_url: one.returnUrl,
  brand_color: one.brandColor,
  logo: logoPath(mchNo, one),
  told_of_sent_back: one.isToldOfSentBack,
  created_at: one.createdAt.toISOString(),
})

async function add(world: World, call: ConsoleCall): Promise<object | Failed> {
  const found = await merchantAt(world, call)
  if (found instanceof Failed) return found
  const read = fieldsOf(call.body)
  const appNo = newNumberIn(read, 'app_no')
  const name = read.needed('name', 64)
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const isNew = await addApp(world, { mchNo: found.merchant.mchNo, appNo, name })
  return isNew ? {} : failed('CONFLICT', '应用号已被使用', 'This number is taken', { field: 'app_no' })
}

async function change(world: World, call: ConsoleCall): Promise<object | Failed> {
  const found = await merchantAt(world, call)
  if (found instanceof Failed) return found
  const { body } = call
  const read = fieldsOf(body)
  const [name, isEnabled, isToldOfSentBack] = [
    read.text('name', 64),
    read.yes('enabled'),
    read.yes('told_of_sent_back'),
  ]
  const change: AppChange = {
    ...(name === null ? {} : { name }),
    ...(isEnabled === null ? {} : { isEnabled }),
    ...(isToldOfSentBack === null ? {} : { isToldOfSentBack }),
    ...(body.channels === undefined ? {} : { channels: channelsIn(read, body.channels) }),
    ...(body.return_url === undefined ? {} : { returnUrl: returnUrlIn(read, world) }),
    ...(body.brand_color === undefined ? {} : { brandColor: colorIn(read) }),
    ...(body.logo === undefined ? {} : { logo: logoIn(read, body.logo) }),
  }
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const key = { mchNo: found.merchant.mchNo, appNo: call.path.app_no ?? '' }
  return (await changeApp(world, key, change)) ? {} : failed('NOT_FOUND', '没有这个应用', 'There is no such app')
}

/** Null is all of them. */
function channelsIn(read: Fields, given: unknown): string[] | null {
  if (given === null) return null
  const isList = Array.isArray(given) && given.length > 0 && given.every((one) => CHANNELS.includes(one))
  if (isList) return [...new Set(given as string[])]
  return read.say(
    'channels',
    `应为渠道列表（${CHANNELS.join('、')}），或 null 表示全部`,
    `should be a list of ${CHANNELS.join(', ')}; null is all`,
  )
}

function returnUrlIn(read: Fields, { isSandbox }: World): string | null {
  const text = read.text('return_url', RETURN_URL_MAX)
  if (text === null) return null
  const found = returnUrlOf(text, { isSandbox })
  return typeof found === 'string' ? found : read.say('return_url', found.zh, found.en)
}

function colorIn(read: Fields): string | null {
  const text = read.text('brand_color', 20)?.toLowerCase() ?? null
  if (text === null || isColor(text)) return text
  return read.say('brand_color', '应为颜色，如 #0b5fd3', 'should be a colour, like #0b5fd3')
}

function logoIn(read: Fields, given: unknown): (AppChange['logo'] & object) | null {
  if (given === null || given === '') return null
  const found = readLogoFile(given)
  return 'bytes' in found ? found : read.say('logo', found.zh, found.en)
}

const write = { permission: 'merchants.write', audited: auditedMerchant, stateOf: merchantState } as const

export const appEndpoints: ConsoleEndpoint[] = [
  { method: 'POST', path: 'merchants/:mch_no/apps', ...write, action: 'apps.add', handle: add },
  {
    method: 'PUT',
    path: 'merchants/:mch_no/apps/:app_no',
    ...write,
    // Where payers go after paying is worth as much to a thief as a key.
    needsProof: ({ body }) => body.return_url !== undefined,
    action: 'apps.change',
    handle: change,
  },
]
