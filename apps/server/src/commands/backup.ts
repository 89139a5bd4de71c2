/** `acopay-server backup`: writes every table, as of one moment, into a file. Gateways go on meanwhile. docs/backup.md tells when. */
import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadMasterKeys } from '../security/vault.ts'
import { readConfig } from '../start/config.ts'
import { LONG_STATEMENT_MS, openDatabase } from '../start/database.ts'
import { inHome } from '../start/home.ts'
import { writeArchiveFile } from './archive/archive-file.ts'
import { sayNeeds, saySums } from './archive/report.ts'
import { migrationOf, takeBackup } from './archive/take.ts'
import { nowOf } from './now.ts'
import type { OperatorCommand } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

export const backup: OperatorCommand = {
  usage: '--to FILE [--encrypt-to age1… …] [--passphrase-file FILE]',
  zh: '把整个数据库备份到一个文件',
  en: 'writes the whole database into a file',
  async run(args, { env, defaultHome, say }) {
    const { file, lock } = read(args)
    const startedMs = performance.now()
    const config = readConfig(env, defaultHome)
    const { pool, close } = await openDatabase(config, { statementTimeoutMs: LONG_STATEMENT_MS })
    try {
      await migrationOf(pool)
      const master = await inHome(config, async () => loadMasterKeys(config))
      // The transaction ends when the file is complete.
      const taken = await takeBackup({ pool, master, now: await nowOf(pool), say }, (text) =>
        writeArchiveFile(file, text, lock),
      )
      const seconds = (performance.now() - startedMs) / 1000
      saySums(say, taken.end.sums)
      say(
        `${taken.end.rows} 行 rows, ${taken.tables.length} 张表 tables, ${statSync(file).size} 字节 bytes, ${seconds.toFixed(1)} s`,
      )
      sayNeeds(say, taken.header)
      say(`✓ ${file}: ${taken.header.takenAt}`)
      return 0
    } finally {
      await close()
    }
  },
}

function read(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        to: { type: 'string' },
        'encrypt-to': { type: 'string', multiple: true },
        'passphrase-file': { type: 'string' },
      },
    })
    if (values.to === undefined) throw new Error()
    const lock = { recipients: values['encrypt-to'] ?? [], passphraseFile: values['passphrase-file'] ?? null }
    return { file: values.to, lock }
  } catch {
    throw new UsageError('')
  }
}
