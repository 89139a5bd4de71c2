/** Merchants of a production gateway, with one pair of keys for all of them, and an account of each with the stand-in. */
import { generateKeyPairSync } from 'node:crypto'
import { keyText } from '@acopay/protocol'
import { type Pool, platformKeys } from '@acopay/store'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import { accountsOf, type newSettings } from '../../apps/server/src/sandbox/upstreams.ts'
import type { MasterKeys } from '../../apps/server/src/security/vault.ts'
import { sealSettings } from '../../apps/server/src/upstream/accounts.ts'

const APP = 'APP1'

export type MerchantParts = {
  master: MasterKeys
  settings: ReturnType<typeof newSettings>
  upstream: string
  /** Whose keys sign; absent: a new pair. */
  mchPrivateKey?: string
}

/** Needs the tables and the platform's key, so a gateway that has started. */
export async function addMerchants(pool: Pool, count: number, parts: MerchantParts): Promise<DemoSettings[]> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const numbers = Array.from({ length: count }, (_, index) => `BENCH${index + 1}`)
  const { wechat } = accountsOf(parts.settings)
  const account = { ...wechat, baseUrl: `${parts.upstream}/wechat` }
  const sealed = numbers.map((mchNo) => sealSettings(parts.master, { mchNo, channel: 'wechat' }, account))
  await pool.query(
    `insert into merchant (mch_no, name, created_at) select mch_no, 'bench', now() from unnest($1::text[]) m (mch_no)`,
    [numbers],
  )
  await pool.query(
    `insert into app (mch_no, app_no, name, created_at)
     select mch_no, $2, 'bench', now() from unnest($1::text[]) m (mch_no)`,
    [numbers, APP],
  )
  await pool.query(
    `insert into merchant_key (mch_no, key_id, public_key, valid_from)
     select mch_no, 'k1', $2, now() - interval '1 day' from unnest($1::text[]) m (mch_no)`,
    [numbers, keyText(publicKey)],
  )
  await pool.query(
    `insert into channel_account (mch_no, channel, settings_sealed, created_at, changed_at)
     select mch_no, 'wechat', sealed, now(), now() from unnest($1::text[], $2::bytea[]) m (mch_no, sealed)`,
    [numbers, sealed],
  )
  const [platform] = await platformKeys(pool, new Date())
  const keys = { mchPrivateKey: keyText(privateKey), platformPublicKey: platform?.publicKey ?? '' }
  return numbers.map((mchNo) => ({ mchNo, appNo: APP, baseUrl: 'http://127.0.0.1', ...keys }))
}
