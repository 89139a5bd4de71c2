/** The merchant in the path of a console call. */
import { readMerchantParts } from '@acopay/store/read'
import type { World } from '../../../world.ts'
import { type ConsoleCall, Failed, failed, merchantOf } from '../call.ts'
import { briefOf } from '../fields.ts'

const NO_MERCHANT = () => failed('NOT_FOUND', '没有这个商户', 'There is no such merchant')

/** The merchant in a call's path, if the caller may see it. */
export async function merchantAt(world: World, { caller, path }: ConsoleCall) {
  const { mch_no = '' } = path
  const mchNo = merchantOf(caller, mch_no)
  if (mchNo instanceof Failed) return mchNo
  return (await readMerchantParts(world.pool, mch_no)) ?? NO_MERCHANT()
}

/** The entry in the audit log: the merchant, the part of it, and the names of the fields. Values may be secret. */
export const auditedMerchant = ({ path, body }: ConsoleCall) => ({
  mchNo: path.mch_no ?? briefOf(body.mch_no, 32),
  subject: path.app_no ?? path.key_id ?? path.channel ?? path.mch_no ?? null,
  detail: { fields: Object.keys(body).slice(0, 20) },
})
