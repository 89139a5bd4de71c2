/** The keys: whether they can be read, belong together, and are what they are taken for. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { privateKeyFrom, publicKeyFrom } from '@acopay/sdk'
import { EXIT, type Io } from '../command.ts'
import { type Name, readText } from '../settings.ts'
import { type Check, doubtful, ok, skipped, type Texts, wrong } from './check.ts'

type More = {
  /** The file that holds the private key; null where a flag or a variable does. */
  keyFile: string | null
  /** The merchant's public key or its file, if the user has named it. */
  publicKey: string | undefined
  io: Io
}

export function checkKeys({ mchPrivateKey, platformPublicKey }: Record<Name, string | null>, more: More): Check[] {
  const checks: Check[] = []
  const own = mchPrivateKey === null ? null : readKey(() => createPublicKey(privateKeyFrom(mchPrivateKey)))
  if (own !== null) checks.push(ownKey(own))
  const platform = platformPublicKey === null ? null : readKey(() => publicKeyFrom(platformPublicKey))
  if (platform !== null) checks.push(platformKey(platform, own))
  if (more.keyFile !== null) checks.push(...fileMode(more.keyFile))
  if (own !== null && !isError(own)) checks.push(pair(own, more))
  return checks
}

/** The key, or the error of a text that is none. Its message has no part of the text. */
function readKey(read: () => KeyObject): KeyObject | Error {
  try {
    return read()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const isError = (key: KeyObject | Error | null): key is Error => key instanceof Error

/** The number by which the gateway names a merchant's key: the start of the SHA-256 of its DER. */
export const keyIdOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('hex')
    .slice(0, 16)

const bitsOf = (key: KeyObject): number => key.asymmetricKeyDetails?.modulusLength ?? 0

function ownKey(key: KeyObject | Error): Check {
  const name = 'mchPrivateKey 商户私钥'
  if (!isError(key)) {
    const id = keyIdOf(key)
    return ok(name, {
      zh: `RSA ${bitsOf(key)} 位，公钥编号 ${id}`,
      en: `RSA of ${bitsOf(key)} bits, id of its public key ${id}`,
    })
  }
  return wrong(
    name,
    EXIT.usage,
    { zh: '不是RSA私钥', en: key.message },
    {
      zh: '给出 acopay keygen 生成的 private.key：PKCS#8 DER的Base64，或PEM；不要给公钥、证书或PKCS#1的Base64',
      en: 'give the private.key that acopay keygen makes: PKCS#8 DER in Base64, or PEM; no public key, certificate or PKCS#1 in Base64',
    },
  )
}

function platformKey(key: KeyObject | Error, own: KeyObject | Error | null): Check {
  const name = 'platformPublicKey 平台公钥'
  const todo: Texts = {
    zh: '向平台索取它的公钥，不是您自己的',
    en: 'ask the platform for its public key, which is not your own',
  }
  if (isError(key)) return wrong(name, EXIT.usage, { zh: '不是RSA公钥', en: key.message }, todo)
  if (own !== null && !isError(own) && keyIdOf(own) === keyIdOf(key)) {
    return wrong(name, EXIT.usage, { zh: '这是您自己的公钥', en: 'this is your own public key' }, todo)
  }
  return ok(name, {
    zh: `RSA ${bitsOf(key)} 位，编号 ${keyIdOf(key)}`,
    en: `RSA of ${bitsOf(key)} bits, id ${keyIdOf(key)}`,
  })
}

/** Windows has no such modes: there the folder's rights count. */
function fileMode(file: string): Check[] {
  if (process.platform === 'win32') return []
  const mode = statSync(file).mode & 0o777
  if ((mode & 0o077) === 0) return []
  const shown = mode.toString(8)
  return [
    doubtful(
      '私钥文件 private key file',
      { zh: `本机其他用户可读 (${shown})`, en: `other users of this machine may read it (${shown})` },
      { zh: `chmod 600 ${file}`, en: `chmod 600 ${file}` },
    ),
  ]
}

/** The public key that the platform was given: named by the user, else the one that `keygen` wrote beside the private key. */
function pair(own: KeyObject, { keyFile, publicKey, io }: More): Check {
  const name = '密钥对 key pair'
  const beside = keyFile === null ? null : path.join(path.dirname(keyFile), 'public.key')
  const given = publicKey ?? (beside !== null && existsSync(beside) ? beside : null)
  if (given === null) {
    return skipped(name, {
      zh: '没有公钥可比；用 --public-key 给出',
      en: 'no public key to compare with; give it by --public-key',
    })
  }
  // Base64 has no dots or backslashes, and PEM begins with dashes: the rest are names of files.
  const text = /^(-----|MII)/.test(given) ? given : readText(io, given)
  const public_ = readKey(() => publicKeyFrom(text))
  if (!isError(public_) && keyIdOf(public_) === keyIdOf(own)) {
    return ok(name, { zh: '私钥与公钥是一对', en: 'the private and the public key are a pair' })
  }
  return wrong(
    name,
    EXIT.usage,
    isError(public_)
      ? { zh: '给出的不是公钥', en: public_.message }
      : { zh: '私钥与公钥不是一对', en: 'the private and the public key are no pair' },
    {
      zh: '用 acopay keygen 重新生成一对，把 public.key 交给平台',
      en: 'make a new pair by acopay keygen, and give public.key to the platform',
    },
  )
}
