/**
 * Brings the packages of the systems that the gateway is compared with: `npm run bench:peers`. They are no dependencies of the workspace: each has
 * a lock of its own and lies below bench/results, which git, Biome and knip leave out. Where npm cannot reach its registry, one line
 * says so, and the comparison is left out.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export const PEERS = ['plain', 'vendure'] as const
export type PeerName = (typeof PEERS)[number]

export const installedAt = (name: PeerName): string => path.resolve(import.meta.dirname, '..', 'results', 'peers', name)

const STAMP = 'installed.json'

/** Null when it is there now; else why not, in one line. */
export function installPeer(name: PeerName, say: (line: string) => void): string | null {
  const from = path.join(import.meta.dirname, name)
  const place = installedAt(name)
  const lock = readFileSync(path.join(from, 'package-lock.json'), 'utf8')
  mkdirSync(place, { recursive: true })
  cpSync(from, place, { recursive: true })
  const stamp = path.join(place, STAMP)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return generate(name, place)
  say(`npm brings ${name} …`)
  const failed = run(place, 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
  if (failed !== null) return `${name} is left out, npm could not bring its packages: ${failed}`
  const wrong = generate(name, place)
  if (wrong === null) writeFileSync(stamp, lock)
  return wrong
}

/** Prisma's client is made of its schema. The engine of its migrations is not used, and not fetched: any file will do in its place. */
function generate(name: PeerName, place: string): string | null {
  if (name !== 'plain') return null
  const prisma = path.join(place, 'node_modules', 'prisma', 'build', 'index.js')
  const env = {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  }
  const failed = run(place, process.execPath, [prisma, 'generate', '--schema', 'schema.prisma'], env)
  return failed === null ? null : `${name} is left out, Prisma could not make its client: ${failed}`
}

function run(cwd: string, program: string, args: string[], env: Record<string, string> = {}): string | null {
  const { status, stderr, error } = spawnSync(program, args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8' })
  if (status === 0) return null
  const lines = (error?.message ?? stderr).split('\n').filter((line) => !line.includes('EBADENGINE'))
  return lines.find((line) => /error/i.test(line))?.trim() ?? lines[0] ?? 'no output'
}

/** Started as a command, it installs all and is fine with what it could not. */
if (process.argv[1] === import.meta.filename) {
  for (const name of PEERS) console.log(installPeer(name, console.log) ?? `${name} is there: ${installedAt(name)}`)
}
