/** Encrypted archives are files of age (https://age-encryption.org): the programs `age` and `rage` open them too. */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { Decrypter, Encrypter } from 'age-encryption'

export type Lock = { recipients: string[]; passphraseFile: string | null }
export type Unlock = { identityFile: string | null; passphraseFile: string | null }

type Step = (source: Readable) => AsyncIterable<Uint8Array>

export const isEncrypted = (start: Buffer): boolean =>
  start.subarray(0, 22).toString('latin1') === 'age-encryption.org/v1\n'

/** Null where nothing is to be encrypted. */
export function encryption({ recipients, passphraseFile }: Lock): Step | null {
  if (recipients.length === 0 && passphraseFile === null) return null
  if (recipients.length > 0 && passphraseFile !== null) {
    throw new Error('--encrypt-to 与 --passphrase-file 只能选一 (use one of the two)')
  }
  const encrypter = new Encrypter()
  if (passphraseFile !== null) encrypter.setPassphrase(secretOf(passphraseFile))
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient)
    } catch {
      throw new Error(`--encrypt-to 应为 age 公钥 (a public key of age), age1…; got "${recipient}"`)
    }
  }
  return async function* (source) {
    yield* (await encrypter.encrypt(webOf(source))) as unknown as AsyncIterable<Uint8Array>
  }
}

export function decryption({ identityFile, passphraseFile }: Unlock): Step {
  const decrypter = new Decrypter()
  if (identityFile === null && passphraseFile === null) {
    throw new Error('备份已加密，请给出 --identity 或 --passphrase-file (the archive is encrypted: name one of these)')
  }
  if (passphraseFile !== null) decrypter.addPassphrase(secretOf(passphraseFile))
  for (const line of identityFile === null ? [] : linesOf(identityFile)) {
    try {
      decrypter.addIdentity(line)
    } catch {
      throw new Error(`${identityFile} 不是 age 私钥文件 (is not a file of private keys of age)`)
    }
  }
  return async function* (source) {
    const opened = await decrypter.decrypt(webOf(source)).catch(() => {
      throw new Error('密钥打不开这个备份 (the key does not open this archive)')
    })
    yield* opened as unknown as AsyncIterable<Uint8Array>
  }
}

const webOf = (source: Readable): globalThis.ReadableStream<Uint8Array> =>
  Readable.toWeb(source) as ReadableStream<Uint8Array> as globalThis.ReadableStream<Uint8Array>

const secretOf = (file: string): string => {
  const [line = ''] = linesOf(file)
  if (line.length < 12)
    throw new Error(
      `${file} 第一行应为至少12个字符的口令 (its first line should be a passphrase of at least 12 characters)`,
    )
  return line
}

function linesOf(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`读不到文件 (cannot read this file): ${file}: ${(error as NodeJS.ErrnoException).code}`)
  }
  return text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'))
}
