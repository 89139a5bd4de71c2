/**
 * Merchants' public keys. A new key and the old ones overlap, so that a merchant can change keys without a gap; ending a key
 * takes effect at once.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { KEY_BITS_MIN, keyText } from '@acopay/protocol'
import type { MadeKey } from '@acopay/protocol/console'
import { addMerchantKey, endMerchantKey } from '../../../actions/console/merchants.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { auditedMerchant, merchantAt, merchantState } from './merchant-at.ts'
import { keyRow } from './merchants.ts'

const OVERLAP_HOURS_MAX = 720
const HOUR_MS = 3_600_000
const generate = promisify(generateKeyPair)

async function add(world: World, call: ConsoleCall): Promise<MadeKey | Failed> {
  const found = await merchantAt(world, call)
  if (found instanceof Failed) return found
  const read = fieldsOf(call.body)
  const overlapHours = read.whole('overlap_hours', 0, OVERLAP_HOURS_MAX)
  if (overlapHours === null) read.say('overlap_hours', '不能为空', 'is missing')
  const isGenerated = read.yes('generate') === true
  const text = call.body.public_key
  const uploaded = isGenerated ? null : publicKeyOf(text)
  if (typeof uploaded === 'string') read.say('public_key', ...PROBLEMS[uploaded])
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const pair = isGenerated ? await generate('rsa', { modulusLength: KEY_BITS_MIN }) : null
  const publicKey = keyText(pair?.publicKey ?? (uploaded as KeyObject))
  const { mchNo } = found.merchant
  const key = await addMerchantKey(world, { mchNo, publicKey, overlapMs: (overlapHours ?? 0) * HOUR_MS })
  if (key === null) return failed('CONFLICT', '此公钥已登记', 'This key is there already', { field: 'public_key' })
  return {
    key: keyRow(key),
    // The answer is the only place where this private key appears; the gateway does not store it.
    private_key: pair === null ? null : keyText(pair.privateKey),
  }
}

type Problem = 'private' | 'unreadable' | 'weak'

const PROBLEMS: Record<Problem, [zh: string, en: string]> = {
  private: [
    '是私钥！请只提交公钥，并视该私钥为已泄露',
    'is a private key! Send the public one, and take this one for lost',
  ],
  unreadable: ['应为RSA公钥，PEM或Base64 DER', 'should be an RSA public key, PEM or Base64 DER'],
  weak: [`至少${KEY_BITS_MIN}位`, `needs at least ${KEY_BITS_MIN} bits`],
}

/** PEM or Base64 of the DER. Node derives a public key from a private one silently, so private keys are detected first. */
function publicKeyOf(text: unknown): KeyObject | Problem {
  if (typeof text !== 'string' || text.length > 10_000) return 'unreadable'
  const der = Buffer.from(text.replace(/-----[A-Z ]+-----/g, ''), 'base64')
  const isPrivate = (type: 'pkcs8' | 'pkcs1'): boolean =>
    readable(() => createPrivateKey({ key: der, format: 'der', type })) !== null
  if (/PRIVATE KEY/.test(text) || isPrivate('pkcs8') || isPrivate('pkcs1')) return 'private'
  const key =
    readable(() => createPublicKey({ key: der, format: 'der', type: 'spki' })) ??
    readable(() => createPublicKey({ key: der, format: 'der', type: 'pkcs1' }))
  if (key?.asymmetricKeyType !== 'rsa') return 'unreadable'
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) < KEY_BITS_MIN ? 'weak' : key
}

function readable(read: () => KeyObject): KeyObject | null {
  try {
    return read()
  } catch {
    return null
  }
}

async function end(world: World, call: ConsoleCall): Promise<object | Failed> {
  const found = await merchantAt(world, call)
  if (found instanceof Failed) return found
  const key = { mchNo: found.merchant.mchNo, keyId: call.path.key_id ?? '' }
  switch (await endMerchantKey(world, key)) {
    case 'ended':
      return {}
    case 'absent':
      return failed('NOT_FOUND', '没有这把有效的公钥', 'There is no such valid key')
    case 'last':
      return failed(
        'CONFLICT',
        '这是启用中商户的最后一把公钥，请先登记新公钥或停用商户',
        'It is the last key of a merchant in use: add another first, or disable the merchant',
      )
  }
}

const write = { permission: 'merchants.write', audited: auditedMerchant, stateOf: merchantState } as const

export const keyEndpoints: ConsoleEndpoint[] = [
  { method: 'POST', path: 'merchants/:mch_no/keys', ...write, needsProof: () => true, action: 'keys.add', handle: add },
  {
    method: 'DELETE',
    path: 'merchants/:mch_no/keys/:key_id',
    ...write,
    needsProof: () => true,
    action: 'keys.end',
    handle: end,
  },
]
