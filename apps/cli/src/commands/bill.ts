/** `acopay bill` */
import path from 'node:path'
import { AcoPay } from '@acopay/sdk'
import { type Command, EXIT, requiredFlag, table, textFlag, UsageError } from '../command.ts'
import { readSettings, SETTINGS_OPTIONS } from '../settings.ts'

const PROGRESS_BYTES = 10 * 1024 * 1024

export const billCommand: Command = {
  usage: '--date 2026-01-31 [--out FILE]',
  zh: '下载对账单，校验后写入文件',
  en: 'download the bill of a day; the file appears when it is complete and its hash is right',
  options: { ...SETTINGS_OPTIONS, date: { type: 'string' }, out: { type: 'string' } },
  async run(flags, io) {
    const date = requiredFlag(flags, 'date')
    const pay = new AcoPay(readSettings(flags, io, ['baseUrl', 'mchNo', 'appNo', 'mchPrivateKey', 'platformPublicKey']))
    const file = path.resolve(io.cwd, textFlag(flags, 'out') ?? `bill-${date}.csv`)
    let said = 0
    const onBytes = (bytes: number): void => {
      if (bytes - said < PROGRESS_BYTES) return
      said = bytes
      io.err(`${(bytes / 1024 / 1024).toFixed(0)} MB …`)
    }
    const saved = await pay.saveBill(date, file, { onBytes }).catch((error: NodeJS.ErrnoException) => {
      throw error.syscall === undefined ? error : new UsageError(`不能写入 (cannot write): ${file} ${error.code}`)
    })
    if (saved.state !== 'SUCCESS') {
      return { exit: EXIT.refused, json: saved, lines: [`${saved.description} ${saved.state}`] }
    }
    const rows: [string, string][] = [
      ['文件 file', file],
      ['字节 bytes', String(saved.bytes)],
      ['SHA-256', saved.hashCode],
    ]
    return { exit: EXIT.done, json: { ...saved, file }, lines: ['对账单已下载 bill downloaded', ...table(rows)] }
  },
}
