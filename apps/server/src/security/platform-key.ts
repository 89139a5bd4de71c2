/** The platform's key pair: made on the first start, sealed in the database, shared by all processes. */
import { createHash, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { KEY_BITS_MIN, keyText } from '@acopay/protocol'
import { addPlatformKey, type Db, type PlatformKey, platformKeys, sealedPlatformKeys } from '@acopay/store'
import {
  type KeyHolders,
  type KeyPlace,
  NO_HOLDERS,
  type OpenedKey,
  openSealed,
  outsideText,
  placeOutside,
  publicHalf,
  tryPlace,
} from './key-places.ts'
import { type MasterKeys, type Secrets, secretsOf, unseal } from './vault.ts'

export type SigningKey = OpenedKey & { keyId: string }

/** Merchants are shown a new key so many days ahead at most. */
export const KEY_DAYS_MAX = 90

export const platformKeyPlace = (keyId: string): string => `platform_key/${keyId}`

/** The newest valid key. Makes one when there is none. Throws an error of one line when it cannot be unsealed or reached. */
export async function loadSigningKey(
  db: Db,
  master: MasterKeys,
  now: Date,
  holders: KeyHolders = NO_HOLDERS,
): Promise<SigningKey> {
  if ((await platformKeys(db, now)).length === 0) await makePlatformKey(db, master)
  const [newest] = await platformKeys(db, now)
  if (newest === undefined) throw new Error('no platform key is valid now')
  return { keyId: newest.keyId, ...openSealed(unsealed(master, newest), holders) }
}

function unsealed(
  master: MasterKeys,
  { keyId, privateKeySealed }: Pick<PlatformKey, 'keyId' | 'privateKeySealed'>,
): string {
  try {
    return unseal(master, platformKeyPlace(keyId), privateKeySealed)
  } catch {
    throw new Error(
      '数据库中的平台私钥由另一把主密钥加密，请使用首次启动时的 master.key 或设置 ACOPAY_MASTER_KEY ' +
        '(the platform key in this database was sealed with another master key: use the master.key of the first start, or set ACOPAY_MASTER_KEY)',
    )
  }
}

/** A platform key whose private half, or the place where it lies, our master key has sealed. Only a holder of that key can add one. */
export type ProvenKey = { keyId: string; publicKey: KeyObject }

/** Every such key that there ever was. */
export async function provenPlatformKeys(db: Db, master: MasterKeys): Promise<ProvenKey[]> {
  return (await sealedPlatformKeys(db)).flatMap(({ keyId, privateKeySealed }) => {
    try {
      return [{ keyId, publicKey: publicHalf(unseal(master, platformKeyPlace(keyId), privateKeySealed)) }]
    } catch {
      return []
    }
  })
}

/** Keys whose private half is not in the database, each as `id at place`. */
export async function platformKeysElsewhere(db: Db, master: MasterKeys): Promise<string[]> {
  return (await sealedPlatformKeys(db)).flatMap(({ keyId, privateKeySealed }) => {
    const place = placeOutside(unsealed(master, { keyId, privateKeySealed }))
    return place === null ? [] : [`${keyId} at ${place}`]
  })
}

async function makePlatformKey(db: Db, master: MasterKeys): Promise<void> {
  // A fixed id, so that of two processes on their first start only one can add a key. Later keys have their digest as id.
  // Valid from 1970 on, because the clock of the process that lost the race may be behind the clock of the one that won.
  await addPlatformKey(db, await newKeyPair(secretsOf(master), { keyId: 'first', validFrom: new Date(0) }))
}

/** Adds a key that signs from `validFrom` on, and returns its id. The keys before it stay, so that what they signed verifies. */
export async function addNextKey(db: Db, secrets: Secrets, validFrom: Date): Promise<string> {
  const next = await newKeyPair(secrets, { validFrom })
  await addPlatformKey(db, next)
  return next.keyId
}

/** The same with a key that stays where it is. It has signed once before it is added. Throws where the database has it already. */
export async function addKeyAt(
  db: Db,
  secrets: Secrets,
  validFrom: Date,
  { place, holders }: { place: KeyPlace; holders: KeyHolders },
): Promise<string> {
  const publicKey = await tryPlace(place, holders)
  const keyId = keyIdOf(publicKey)
  const privateKeySealed = secrets.seal(platformKeyPlace(keyId), outsideText(place, publicKey))
  if (await addPlatformKey(db, { keyId, publicKey, privateKeySealed, validFrom })) return keyId
  throw new Error(`这把密钥已登记为 ${keyId} (this key is there already)`)
}

const generate = promisify(generateKeyPair)

async function newKeyPair(secrets: Secrets, of: { keyId?: string; validFrom: Date }): Promise<PlatformKey> {
  const { keyId, validFrom } = of
  const pair = await generate('rsa', { modulusLength: KEY_BITS_MIN })
  const publicKey = keyText(pair.publicKey)
  const id = keyId ?? keyIdOf(publicKey)
  const privateKeySealed = secrets.seal(platformKeyPlace(id), keyText(pair.privateKey))
  return { keyId: id, publicKey, privateKeySealed, validFrom }
}

/** The id of a public key: the beginning of its SHA-256. */
export const keyIdOf = (publicText: string): string =>
  createHash('sha256').update(Buffer.from(publicText, 'base64')).digest('hex').slice(0, 16)
