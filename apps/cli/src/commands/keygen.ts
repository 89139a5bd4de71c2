/** `acopay keygen` */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { newKeyPair } from '@acopay/sdk'
import { type Command, EXIT, table, textFlag, UsageError } from '../command.ts'

export const keygenCommand: Command = {
  usage: '[--out FOLDER]',
  zh: '生成商户密钥对',
  en: 'make a key pair for a merchant',
  options: { out: { type: 'string' } },
  async run(flags, io) {
    const pair = await newKeyPair()
    const out = textFlag(flags, 'out')
    const never =
      '私钥只放在您的服务器上，公钥交给平台。Keep the private key on your server; give the platform the public one.'
    if (out === undefined) {
      const lines = table([
        ['私钥 private', pair.privateKey],
        ['公钥 public', pair.publicKey],
      ])
      return { exit: EXIT.done, json: pair, lines: [...lines, never] }
    }
    const folder = path.resolve(io.cwd, out)
    const files = { privateKeyFile: path.join(folder, 'private.key'), publicKeyFile: path.join(folder, 'public.key') }
    // Both files are checked before the first is written, so that no half of a pair is left behind.
    const existing = Object.values(files).find((file) => existsSync(file))
    if (existing !== undefined) throw new UsageError(`文件已存在，不会覆盖 (exists, not overwritten): ${existing}`)
    writeNew(files.privateKeyFile, pair.privateKey, 0o600)
    writeNew(files.publicKeyFile, pair.publicKey, 0o644)
    const lines = table([
      ['私钥 private', files.privateKeyFile],
      ['公钥 public', files.publicKeyFile],
    ])
    return { exit: EXIT.done, json: { ...files, publicKey: pair.publicKey }, lines: [...lines, never] }
  },
}

/** Never overwrites an existing key: it may be the only copy. */
function writeNew(file: string, text: string, mode: number): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, `${text}\n`, { mode, flag: 'wx' })
  } catch {
    throw new UsageError(`写不了文件 (cannot write): ${file}`)
  }
}
