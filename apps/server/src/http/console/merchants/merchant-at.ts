/** The merchant in the path of a console call. */
import { readMerchantParts } from '@acopay/store/read'
import type { World } from '../../../world.ts'
import { type ConsoleCall, Failed, failed, merchantOf } from '../call.ts'
import { briefOf, type fieldsOf } from '../fields.ts'

/** A merchant's or an app's number. */
const NUMBER = /^[0-9A-Za-z_-]{1,32}$/

/** The number of a new merchant or app. */
export function newNumberIn(read: ReturnType<typeof fieldsOf>, field: string): string {
  const number = read.needed(field, 32)
  if (!NUMBER.test(number)) read.say(field, '应为1到32位字母、数字、_ 或 -', 'should be 1 to 32 of 0-9, A-Z, a-z, _ -')
  return number
}

const NO_MERCHANT = () => failed('NOT_FOUND', '没有这个商户', 'There is no such merchant')

/** The merchant in a call's path, if the caller may see it. */
export async function merchantAt(world: World, { caller, path }: ConsoleCall) {
  const { mch_no = '' } = path
  const mchNo = merchantOf(caller, mch_no)
  if (mchNo instanceof Failed) return mchNo
  return (await readMerchantParts(world.pool, mch_no)) ?? NO_MERCHANT()
}

/** What calls about a merchant may change: its own values, and one for each app and key. */
export async function merchantState(world: World, call: ConsoleCall): Promise<Record<string, unknown>> {
  const { mch_no = call.body.mch_no } = call.path
  const found = await merchantAt(world, {
    ...call,
    path: { mch_no: typeof mch_no === 'string' && NUMBER.test(mch_no) ? mch_no : '' },
  })
  if (found instanceof Failed) return {}
  const { merchant, apps, keys } = found
  return {
    name: merchant.name,
    enabled: merchant.isEnabled,
    allowed_ips: merchant.allowedIps,
    rate_per_second: merchant.ratePerSecond,
    ...Object.fromEntries(apps.map(({ appNo, createdAt: _, ...app }) => [`app ${appNo}`, app])),
    ...Object.fromEntries(keys.map(({ keyId, validFrom, validUntil }) => [`key ${keyId}`, { validFrom, validUntil }])),
  }
}

/** The entry in the audit log: the merchant, the part of it, and the names of the fields. Values may be secret. */
export const auditedMerchant = ({ path, body }: ConsoleCall) => ({
  mchNo: path.mch_no ?? briefOf(body.mch_no, 32),
  subject: path.app_no ?? path.key_id ?? path.channel ?? path.mch_no ?? null,
  detail: { fields: Object.keys(body).slice(0, 20) },
})
