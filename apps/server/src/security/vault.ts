/**
 * Seals stored secrets: AES-256-GCM with a master key that is never in the database. The place of a secret (table and row) is
 * authenticated with it, so that a sealed value cannot be moved to another row. A sealed value names its key, so that the
 * master key can be changed while gateways run.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { writePrivateFile } from './private-file.ts'

const VERSION = 1
const KEY_ID_BYTES = 4
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + KEY_ID_BYTES

/** The master keys of an installation. The first one seals; every one unseals what it has sealed. */
export type MasterKeys = {
  keys: readonly [Buffer, ...Buffer[]]
  /** Reads the keys again, where they can change while the process runs. */
  refresh: () => void
}

export const masterKeysOf = (first: Buffer, ...older: Buffer[]): MasterKeys => ({
  keys: [first, ...older],
  refresh: () => {},
})

/** A separate key for each purpose. */
export const derivedKey = (masterKey: Buffer, purpose: string): Buffer =>
  createHmac('sha256', masterKey).update(purpose, 'utf8').digest()

const idOf = (masterKey: Buffer): Buffer => derivedKey(masterKey, 'key id').subarray(0, KEY_ID_BYTES)

/** Tells keys apart, and tells nothing of the key. */
export const fingerprintOf = (masterKey: Buffer): string =>
  derivedKey(masterKey, 'fingerprint').subarray(0, 8).toString('hex')

/** Version (1 byte), the key's id (4), a nonce (12), the secret's ciphertext, a tag (16). */
export function seal(master: MasterKeys, place: string, secret: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', master.keys[0], nonce).setAAD(Buffer.from(place, 'utf8'))
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([headOf(master), nonce, sealed, cipher.getAuthTag()])
}

/** Seals and unseals for those who do not hold the keys themselves. */
export type Secrets = {
  seal: (place: string, secret: string) => Buffer
  unseal: (place: string, sealed: Buffer) => string
}

export const secretsOf = (master: MasterKeys): Secrets => ({
  seal: (place, secret) => seal(master, place, secret),
  unseal: (place, sealed) => unseal(master, place, sealed),
})

/** Throws when the secret was sealed with an unknown key or for another place. */
export function unseal(master: MasterKeys, place: string, sealed: Buffer): string {
  if (keyOf(master, sealed) === undefined) master.refresh()
  const named = keyOf(master, sealed)
  if (named !== undefined) return opened(named, place, sealed.subarray(HEAD_BYTES))
  // Sealed before sealed values named their keys, or by a key that is gone: every key is tried.
  for (const key of master.keys.slice(0, -1)) {
    try {
      return opened(key, place, sealed)
    } catch {}
  }
  return opened(master.keys.at(-1) as Buffer, place, sealed)
}

/** How everything begins that the newest key seals. */
export const headOf = ({ keys: [newest] }: MasterKeys): Buffer => Buffer.concat([Buffer.from([VERSION]), idOf(newest)])

function keyOf({ keys }: MasterKeys, sealed: Buffer): Buffer | undefined {
  if (sealed[0] !== VERSION) return undefined
  return keys.find((key) => idOf(key).equals(sealed.subarray(1, HEAD_BYTES)))
}

function opened(key: Buffer, place: string, sealed: Buffer): string {
  // A shorter tag would be accepted too, and be guessed sooner.
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(place, 'utf8'))
    .setAuthTag(sealed.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8')
}

/** The file with an installation's master keys, one in Base64 on each line, the newest first. */
export const masterKeyFile = (home: string): string => path.join(home, 'master.key')

/**
 * The master keys of this installation's file, which is made on the first start. Two processes on their first start get the same
 * key.
 */
export function masterKeysIn(home: string): MasterKeys {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  writePrivateFile(masterKeyFile(home), `${newMasterKey().toString('base64')}\n`, 'keep')
  const master: MasterKeys = {
    keys: readKeyFile(home),
    refresh() {
      master.keys = readKeyFile(home)
    },
  }
  return master
}

/** The keys of the configuration, or those of the installation's file. */
export function loadMasterKeys({
  masterKeys: [first, ...older],
  home,
}: {
  masterKeys: Buffer[]
  home: string
}): MasterKeys {
  return first === undefined ? masterKeysIn(home) : masterKeysOf(first, ...older)
}

/** The same keys; null where there are none yet. Makes no file. */
export function masterKeysThere({
  masterKeys: [first, ...older],
  home,
}: {
  masterKeys: Buffer[]
  home: string
}): MasterKeys | null {
  if (first !== undefined) return masterKeysOf(first, ...older)
  return existsSync(masterKeyFile(home)) ? masterKeysOf(...readKeyFile(home)) : null
}

/** Writes the keys into the file; the first one seals from now on. */
export const writeMasterKeys = (home: string, keys: readonly Buffer[]): void =>
  writePrivateFile(masterKeyFile(home), keys.map((key) => `${key.toString('base64')}\n`).join(''), 'replace')

export const newMasterKey = (): Buffer => randomBytes(32)

function readKeyFile(home: string): [Buffer, ...Buffer[]] {
  const file = masterKeyFile(home)
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
  const [first, ...older] = lines.map((line) => Buffer.from(line, 'base64'))
  if (first === undefined || [first, ...older].some((key) => key.length !== 32)) {
    throw new Error(`${file} is damaged: each of its lines should hold 32 bytes in Base64`)
  }
  return [first, ...older]
}
