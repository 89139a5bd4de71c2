/**
 * Takes a month out, or brings it back, and kills this process (SIGKILL) at a step:
 * `out|back STEP NOW FOLDER_OR_FILE`; the database and the master key in the environment. Started by test/archive.test.ts.
 */
import { openPool } from '@acopay/store'
import { archiveBefore } from '../../apps/server/src/commands/archive.ts'
import { bringBack } from '../../apps/server/src/commands/months/bring-back.ts'
import { loadSigningKey, provenPlatformKeys } from '../../apps/server/src/security/platform-key.ts'
import { loadPurposeKeys } from '../../apps/server/src/security/purpose-keys.ts'
import { stampsOf } from '../../apps/server/src/security/stamps.ts'
import { masterKeysOf } from '../../apps/server/src/security/vault.ts'

const [way, atStep, at = '', where = ''] = process.argv.slice(2)
const pool = openPool({ connectionString: process.env.DATABASE_URL })
const master = masterKeysOf(Buffer.from(process.env.ACOPAY_MASTER_KEY ?? '', 'base64'))
const now = new Date(at)
let steps = 0
const tools = {
  ...{ pool, master, now, say: () => {}, partOrders: 2 },
  stamps: stampsOf(await loadPurposeKeys(pool, master)),
  key: await loadSigningKey(pool, master, now),
  keys: await provenPlatformKeys(pool, master),
  step: () => {
    steps += 1
    if (steps === Number(atStep)) process.kill(process.pid, 'SIGKILL')
  },
}
const unlock = { identityFile: null, passphraseFile: null }
const lock = { recipients: [], passphraseFile: null }
if (way === 'out') await archiveBefore(tools, { before: '2026-02', to: where, isDry: false, lock, unlock })
else await bringBack(tools, where, unlock)
await pool.end()
