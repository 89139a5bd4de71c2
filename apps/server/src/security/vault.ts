/**
 * Seals stored secrets: AES-256-GCM with a master key that is never in the database. The place of a secret (table and row) is
 * authenticated with it, so that a sealed value cannot be moved to another row.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { writePrivateFile } from './private-file.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

export function seal(masterKey: Buffer, place: string, secret: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(Buffer.from(place, 'utf8'))
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()])
}

/** Throws when the secret was sealed with another key or for another place. */
export function unseal(masterKey: Buffer, place: string, sealed: Buffer): string {
  // A shorter tag would be accepted too, and be guessed sooner.
  const decipher = createDecipheriv('aes-256-gcm', masterKey, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(place, 'utf8'))
    .setAuthTag(sealed.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8')
}

/** A separate key for each purpose. */
export const derivedKey = (masterKey: Buffer, purpose: string): Buffer =>
  createHmac('sha256', masterKey).update(purpose, 'utf8').digest()

/** The master key of this installation, made on the first start. Two processes on their first start get the same key. */
export function masterKeyOf(home: string): Buffer {
  const file = path.join(home, 'master.key')
  mkdirSync(home, { recursive: true, mode: 0o700 })
  writePrivateFile(file, `${randomBytes(32).toString('base64')}\n`, 'keep')
  const key = Buffer.from(readFileSync(file, 'utf8'), 'base64')
  if (key.length !== 32) throw new Error(`${file} is damaged: it should hold 32 bytes in Base64`)
  return key
}
