/** Two PostgreSQL servers of a test's own: a primary, and a standby that streams from it. Both listen at addresses of this machine. */
import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { openPool, type Pool } from '@acopay/store'
import { killServer } from './kill-server.ts'

export type PairedServer = {
  /** `address:port`, as in an address of the database. */
  host: string
  /** Asks it past everything that is tested. */
  admin: Pool
  /** As a machine that loses its power. */
  kill: () => void
}

export type ServerPair = { primary: PairedServer; standby: PairedServer; stop: () => Promise<void> }

/** PostgreSQL's own port, so that each needs an address at which no other server listens. */
const address = (): string => `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(2, 255)}`

/** `synchronous`: a commit is acknowledged when the standby has it too. */
export async function startPair(dir: string, how: 'synchronous' | 'asynchronous'): Promise<ServerPair> {
  const [one, other] = [address(), address()]
  const [folder, copy] = ['one', 'other'].map((name) => path.join(dir, name)) as [string, string]
  await (await startEmbeddedPostgres(folder)).stop()
  const data = path.join(folder, 'data')
  const { uid, gid } = fs.statSync(data)
  const put = (file: string, text: string): void => {
    fs.writeFileSync(file, text, { mode: 0o600 })
    fs.chownSync(file, uid, gid)
  }
  put(path.join(data, 'pg_hba.conf'), 'local all all trust\nhost all all all trust\nhost replication all all trust\n')
  fs.mkdirSync(copy, { mode: 0o700 })
  fs.cpSync(data, path.join(copy, 'data'), { recursive: true })
  fs.chmodSync(path.join(copy, 'data'), 0o700)
  put(path.join(copy, 'data', 'standby.signal'), '')
  const first = await startEmbeddedPostgres(folder, { settings: { ...SETTINGS, listen_addresses: one } })
  const conninfo = `host=${one} user=acopay application_name=standby`
  const settings = { ...SETTINGS, listen_addresses: other, primary_conninfo: conninfo }
  const second = await startEmbeddedPostgres(copy, { settings })
  const pair = { primary: pairedServer(one, first), standby: pairedServer(other, second) }
  await streaming(pair.primary.admin)
  if (how === 'synchronous') {
    await pair.primary.admin.query(`alter system set synchronous_standby_names = 'standby'`)
    await pair.primary.admin.query('select pg_reload_conf()')
  }
  return {
    ...pair,
    stop: async () => {
      for (const { admin } of Object.values(pair)) await admin.end()
      await second.stop()
      await first.stop()
    },
  }
}

const SETTINGS = { wal_level: 'replica', hot_standby: 'on', fsync: 'off', wal_receiver_status_interval: '1' }

function pairedServer(host: string, server: EmbeddedPostgres): PairedServer {
  const { port, user, database } = server.connection
  return {
    host: `${host}:${port}`,
    admin: openPool({ ...server.connection, user, database, max: 2 }),
    kill: () => {
      killServer(server.pid)
    },
  }
}

async function streaming(primary: Pool): Promise<void> {
  for (;;) {
    const { rowCount } = await primary.query(`select 1 from pg_stat_replication where state = 'streaming'`)
    if (rowCount === 1) return
    await primary.query('select pg_sleep(0.05)')
  }
}
