/** Merchants, and the addresses from which a merchant's servers may call. */
import { createHash, createPublicKey } from 'node:crypto'
import type { MerchantDetail, MerchantList } from '@acopay/protocol/console'
import { type ListedMerchant, listMerchants, listPlatformKeys } from '@acopay/store/read'
import { addMerchant, changeMerchant } from '../../../actions/console/merchants.ts'
import type { World } from '../../../world.ts'
import { isAddressOrBlock } from '../../allowed-addresses.ts'
import { type Caller, type ConsoleCall, type ConsoleEndpoint, Failed, failed } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { pageOf } from '../places.ts'
import { appRow } from './apps.ts'
import { accountRows } from './channel-settings.ts'
import { auditedMerchant, merchantAt, merchantState, newNumberIn } from './merchant-at.ts'

const IPS_MAX = 100

export async function listMerchantPage(
  world: World,
  { caller, query, pageMax }: ConsoleCall,
): Promise<MerchantList | Failed> {
  const read = fieldsOf(query)
  const [after, limit, search] = [read.text('after', 32) ?? '', read.limit(pageMax), read.text('search', 64)]
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const found = await listMerchants(world.pool, { mchNo: caller.mchNo, after, search }, world.now(), limit + 1)
  return pageOf(found.map(merchantRow), limit, (row) => row.mch_no)
}

export const merchantRow = (one: ListedMerchant): MerchantList['rows'][number] => ({
  mch_no: one.mchNo,
  name: one.name,
  enabled: one.isEnabled,
  created_at: one.createdAt.toISOString(),
  apps: one.apps,
  keys: one.keys,
})

/** A merchant's own admin may change less than the platform may. */
const editableBy = ({ permissions, mchNo }: Caller): string[] => {
  if (!permissions.includes('merchants.write')) return []
  return mchNo === null
    ? ['name', 'enabled', 'rate_per_second', 'allowed_ips', 'apps', 'keys', 'channels']
    : ['allowed_ips', 'apps', 'keys']
}

async function merchantView(world: World, call: ConsoleCall): Promise<MerchantDetail | Failed> {
  const found = await merchantAt(world, call)
  if (found instanceof Failed) return found
  const { merchant, apps, keys } = found
  const ofPlatform = await listPlatformKeys(world.pool)
  return {
    mch_no: merchant.mchNo,
    name: merchant.name,
    enabled: merchant.isEnabled,
    created_at: merchant.createdAt.toISOString(),
    allowed_ips: merchant.allowedIps,
    rate_per_second: merchant.ratePerSecond,
    apps: apps.map((one) => appRow(merchant.mchNo, one)),
    keys: keys.map((one) => keyRow(one)),
    channels: accountRows(world, found),
    platform_keys: ofPlatform.map((one) => ({
      key_id: one.keyId,
      public_key: one.publicKey,
      valid_from: one.validFrom.toISOString(),
      valid_until: one.validUntil?.toISOString() ?? null,
    })),
    editable: editableBy(call.caller),
  }
}

export const keyRow = (one: { keyId: string; publicKey: string; validFrom: Date; validUntil: Date | null }) => {
  const der = Buffer.from(one.publicKey, 'base64')
  return {
    key_id: one.keyId,
    fingerprint: createHash('sha256').update(der).digest('hex'),
    bits: createPublicKey({ key: der, format: 'der', type: 'spki' }).asymmetricKeyDetails?.modulusLength ?? 0,
    valid_from: one.validFrom.toISOString(),
    valid_until: one.validUntil?.toISOString() ?? null,
  }
}

async function add(world: World, call: ConsoleCall): Promise<MerchantDetail | Failed> {
  const read = fieldsOf(call.body)
  const mchNo = newNumberIn(read, 'mch_no')
  const name = read.needed('name', 64)
  const wrong = read.failed()
  if (wrong !== null) return wrong
  if (call.caller.mchNo !== null) return failed('FORBIDDEN', '只有平台可以添加商户', 'Only the platform adds merchants')
  if (!(await addMerchant(world, { mchNo, name }))) {
    return failed('CONFLICT', '商户号已被使用', 'This number is taken', { field: 'mch_no' })
  }
  return merchantView(world, { ...call, path: { mch_no: mchNo } })
}

async function change(world: World, call: ConsoleCall): Promise<MerchantDetail | Failed> {
  const found = await merchantAt(world, call)
  if (found instanceof Failed) return found
  const editable = editableBy(call.caller)
  const forbidden = Object.keys(call.body).find((field) => !editable.includes(field))
  if (forbidden !== undefined) {
    return failed('FORBIDDEN', `您不能修改 ${forbidden}`, `You may not change ${forbidden}`, { field: forbidden })
  }
  const read = fieldsOf(call.body)
  const [name, isEnabled] = [read.text('name', 64), read.yes('enabled')]
  const rate = call.body.rate_per_second === null ? null : read.whole('rate_per_second', 1, 1_000_000)
  const isRateGiven = 'rate_per_second' in call.body
  const ips = call.body.allowed_ips
  const allowedIps = ips === undefined ? undefined : ipsOf(ips)
  if (allowedIps === null) {
    read.say('allowed_ips', `应为至多${IPS_MAX}个IP地址或CIDR`, `should be at most ${IPS_MAX} addresses or CIDR blocks`)
  }
  const wrong = read.failed()
  if (wrong !== null) return wrong
  await changeMerchant(world, found.merchant.mchNo, {
    ...(name === null ? {} : { name }),
    ...(isEnabled === null ? {} : { isEnabled }),
    ...(allowedIps == null ? {} : { allowedIps }),
    ...(isRateGiven ? { ratePerSecond: rate } : {}),
  })
  return merchantView(world, call)
}

/** Null when an entry is neither an address nor a CIDR block. */
function ipsOf(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length > IPS_MAX) return null
  const texts = value.map((one) => (typeof one === 'string' ? one.trim() : ''))
  return texts.every(isAddressOrBlock) ? texts : null
}

const write = { permission: 'merchants.write', audited: auditedMerchant, stateOf: merchantState } as const

export const merchantEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'merchants', permission: 'merchants.read', handle: listMerchantPage },
  { method: 'POST', path: 'merchants', ...write, action: 'merchants.add', handle: add },
  { method: 'GET', path: 'merchants/:mch_no', permission: 'merchants.read', handle: merchantView },
  { method: 'PUT', path: 'merchants/:mch_no', ...write, action: 'merchants.change', handle: change },
]
