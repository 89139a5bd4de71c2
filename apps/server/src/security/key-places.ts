/**
 * Where the private half of a platform key lies. The database holds, sealed, either the key itself or the name of a place outside
 * and the key's public half. Only a holder of the master key can seal, so only that holder can replace a key.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { keyText, privateKeyFrom, publicKeyFrom, type Sign, signWith, verifyText } from '@acopay/protocol'
import { type SignerProgram, signerProgram } from './signer-program.ts'

/** `env`: one of `ACOPAY_PLATFORM_KEYS`; `file:` and an absolute path; `signer:` and the signer program's own name for the key. */
export type KeyPlace = 'env' | `file:${string}` | `signer:${string}`

/** What a process can reach. */
export type KeyHolders = { platformKeys: KeyObject[]; signer: SignerProgram | null }

export const NO_HOLDERS: KeyHolders = { platformKeys: [], signer: null }

/** A process's own, by its settings. Nothing is started before something has to be signed. */
export const keyHolders = ({
  platformKeys,
  signer,
}: {
  platformKeys: KeyObject[]
  signer: string | null
}): KeyHolders => ({
  platformKeys,
  signer: signer === null ? null : signerProgram(signer),
})

export type OpenedKey = { publicKeyText: string; sign: Sign }

export function readPlace(text: string): KeyPlace {
  const [, kind, name = ''] = /^(env|file|signer)(?::(.{1,500}))?$/.exec(text) ?? []
  if (kind === 'env' && name === '') return 'env'
  if (kind === 'file' && path.isAbsolute(name)) return `file:${name}`
  if (kind === 'signer' && name !== '') return `signer:${name}`
  throw new Error('--key 应为 env、file:绝对路径或 signer:名称 (env, file:ABSOLUTE_PATH or signer:NAME)')
}

/** The text to seal for a key that stays where it is. */
export const outsideText = (place: KeyPlace, publicKeyText: string): string =>
  JSON.stringify({ place, publicKey: publicKeyText })

const isOutside = (text: string): boolean => text.startsWith('{')

const outside = (text: string): { place: KeyPlace; publicKey: string } => JSON.parse(text)

/** Where a key lies that is not in the database; null for one that is. */
export const placeOutside = (text: string): KeyPlace | null => (isOutside(text) ? outside(text).place : null)

/** The public half of what was sealed. */
export const publicHalf = (text: string): KeyObject =>
  isOutside(text) ? publicKeyFrom(outside(text).publicKey) : createPublicKey(privateKeyFrom(text))

/** What was sealed, ready to sign. Throws an error of one line when the place is out of reach or holds another key. */
export function openSealed(text: string, holders: KeyHolders): OpenedKey {
  if (!isOutside(text)) {
    const key = privateKeyFrom(text)
    return { publicKeyText: keyText(createPublicKey(key)), sign: signWith(key) }
  }
  const { place, publicKey } = outside(text)
  return { publicKeyText: publicKey, sign: signAt(place, publicKey, holders) }
}

/** The public half of the key that lies there now, once it has made a signature that verifies. */
export async function tryPlace(place: KeyPlace, holders: KeyHolders): Promise<string> {
  const publicKey = await publicKeyAt(place, holders)
  const sign = signAt(place, publicKey, holders)
  if (!verifyText('acopay', await sign('acopay'), publicKeyFrom(publicKey))) throw new Error(WRONG(place))
  return publicKey
}

async function publicKeyAt(place: KeyPlace, holders: KeyHolders): Promise<string> {
  if (place.startsWith('signer:')) {
    const text = await signerOf(holders).publicKey(nameIn(place))
    return keyText(publicKeyFrom(text))
  }
  const [key] = keysAt(place, holders)
  if (key === undefined) throw new Error(UNREACHED(place))
  return keyText(createPublicKey(key))
}

function signAt(place: KeyPlace, publicKey: string, holders: KeyHolders): Sign {
  if (place.startsWith('signer:')) return signByProgram(nameIn(place), publicKey, signerOf(holders))
  const key = keysAt(place, holders).find((one) => keyText(createPublicKey(one)) === publicKey)
  if (key === undefined) throw new Error(UNREACHED(place))
  return signWith(key)
}

/** Each signature is verified: one that a broken HSM made must not leave, since it can give the key away. */
function signByProgram(name: string, publicKeyText: string, signer: SignerProgram): Sign {
  const publicKey = publicKeyFrom(publicKeyText)
  return async (text) => {
    const signature = await signer.sign(name, createHash('sha256').update(text, 'utf8').digest())
    if (!verifyText(text, signature, publicKey)) throw new Error(WRONG(`signer:${name}`))
    return signature
  }
}

const nameIn = (place: KeyPlace): string => place.slice(place.indexOf(':') + 1)

function signerOf({ signer }: KeyHolders): SignerProgram {
  if (signer !== null) return signer
  throw new Error(
    '平台密钥在签名程序中，请设置 ACOPAY_SIGNER (the platform key lies with a signer program: set ACOPAY_SIGNER)',
  )
}

function keysAt(place: KeyPlace, { platformKeys }: KeyHolders): KeyObject[] {
  if (place === 'env') return platformKeys
  try {
    return [privateKeyFrom(readFileSync(nameIn(place), 'utf8').trim())]
  } catch (error) {
    // A TypeError says that it is no key; the others are about the file. None repeats a key.
    throw new Error(`${UNREACHED(place)}: ${(error as Error).message}`)
  }
}

const UNREACHED = (place: KeyPlace): string =>
  place === 'env'
    ? 'ACOPAY_PLATFORM_KEYS 中没有这把平台密钥 (the platform key is not among them)'
    : `${nameIn(place)} 中没有这把平台密钥 (the platform key is not there)`
const WRONG = (place: KeyPlace): string => `${place} 的签名无法验证 (its signature does not verify)`
