/**
 * `acopay-server restore`: reads a backup into an empty database and checks all of it. With `--rehearse` the database is one that is
 * made for it and removed after it, so that the gateway's own is not touched. docs/backup.md tells when.
 */
import { parseArgs } from 'node:util'
import { type Pool, SEALED_TABLES, sealedValues } from '@acopay/store'
import { provenPlatformKeys } from '../security/platform-key.ts'
import { loadPurposeKeys } from '../security/purpose-keys.ts'
import { stampsOf } from '../security/stamps.ts'
import { loadMasterKeys, type MasterKeys, unseal } from '../security/vault.ts'
import { type Config, readConfig } from '../start/config.ts'
import { LONG_STATEMENT_MS, openDatabase } from '../start/database.ts'
import { inHome } from '../start/home.ts'
import { readArchiveFile } from './archive/archive-file.ts'
import type { Unlock } from './archive/encryption.ts'
import { checkHeader, type Loaded, loadRows, prepareSchema } from './archive/load.ts'
import { sayNeeds, saySums } from './archive/report.ts'
import { scratchDatabase } from './archive/scratch.ts'
import { verify } from './audit.ts'
import type { OperatorCommand, OperatorIo } from './operator-command.ts'
import { PLACES } from './rotate.ts'
import { UsageError } from './usage-error.ts'

export const restore: OperatorCommand = {
  usage: 'FILE [--rehearse | --replace] [--identity FILE] [--passphrase-file FILE]',
  zh: '把备份恢复到空数据库并核对；--rehearse 只演练',
  en: 'reads a backup into an empty database and checks it; --rehearse does so in a database of its own',
  async run(args, io) {
    const { file, isRehearsal, isReplacing, unlock } = read(args)
    const config = readConfig(io.env, io.defaultHome)
    const master = await inHome(config, async () => loadMasterKeys(config))
    await readArchiveFile(file, unlock, async (pieces) => checkHeader((await pieces.next()).value, master))
    const { pool, close } = isRehearsal ? await scratch(config) : await target(config)
    try {
      const beganAt = isRehearsal ? null : new Date()
      return await restoreInto({ pool, master, say: io.say }, { file, unlock, isReplacing, beganAt })
    } finally {
      await close()
    }
  },
}

async function scratch(config: Config): Promise<{ pool: Pool; close: () => Promise<void> }> {
  const { pool, drop } = await scratchDatabase(config)
  return { pool, close: drop }
}

const target = (config: Config) => openDatabase(config, { statementTimeoutMs: LONG_STATEMENT_MS })

type Into = { pool: Pool; master: MasterKeys; say: OperatorIo['say'] }
/** `beganAt` null: a rehearsal. */
type From = { file: string; unlock: Unlock; isReplacing: boolean; beganAt: Date | null }

export async function restoreInto(
  { pool, master, say }: Into,
  { file, unlock, isReplacing, beganAt }: From,
): Promise<number> {
  const startedMs = performance.now()
  const since = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
  const loaded = await readArchiveFile(file, unlock, async (pieces): Promise<Loaded> => {
    const header = checkHeader((await pieces.next()).value, master)
    say(`备份 archive ${header.takenAt}, 版本 version ${header.version}, ${header.migration.name}`)
    await prepareSchema(pool, header, isReplacing)
    return loadRows({ pool, master, header, say }, pieces, beganAt)
  })
  saySums(say, loaded.end.sums)
  say(`${since()} 已恢复 restored`)
  const closed = await cannotOpen(pool, master)
  for (const place of closed) say(`✗ 主密钥打不开 (the master key does not open): ${place}`)
  const stamps = stampsOf(await loadPurposeKeys(pool, master))
  const keys = await provenPlatformKeys(pool, master)
  const isFine = await verify({ db: pool, stamps, keys, say }, { heads: null, mchNo: null, day: null })
  say(`${since()} 已核对 checked`)
  sayNeeds(say, loaded.header)
  if (!isFine || closed.length > 0) return 1
  say(beganAt === null ? '✓ 演练成功，数据库已删除 (rehearsed; the database is removed)' : `✓ ${NEXT}`)
  return 0
}

const NEXT =
  '已恢复。备份之后的一切都已丢失：网关启动时先关闭当时未结束的订单并向上游查询，然后才服务 ' +
  '(restored. What happened after the backup is lost: at its start a gateway first closes the orders that were open and asks the upstreams)'

/** Secrets that the master keys at hand do not open, by their place. */
async function cannotOpen(pool: Pool, master: MasterKeys): Promise<string[]> {
  const places: string[] = []
  for (const table of SEALED_TABLES) {
    // No sealed value begins so: all are read.
    for (let after: string[] | null = null; ; ) {
      const values = await sealedValues(pool, { table, head: Buffer.alloc(9, 0xff), after }, 500)
      for (const { key, sealed } of values) {
        const place = PLACES[table](key)
        try {
          unseal(master, place, sealed)
        } catch {
          places.push(place)
        }
      }
      if (values.length < 500) break
      after = values.at(-1)?.key ?? null
    }
  }
  return places
}

function read(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        rehearse: { type: 'boolean' },
        replace: { type: 'boolean' },
        identity: { type: 'string' },
        'passphrase-file': { type: 'string' },
      },
    })
    const [file, ...more] = positionals
    const { rehearse: isRehearsal = false, replace: isReplacing = false } = values
    if (file === undefined || more.length > 0 || (isRehearsal && isReplacing)) throw new Error()
    const unlock = { identityFile: values.identity ?? null, passphraseFile: values['passphrase-file'] ?? null }
    return { file, isRehearsal, isReplacing, unlock }
  } catch {
    throw new UsageError('')
  }
}
