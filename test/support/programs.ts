/** Programs of the machine that some tests use where they are installed. A test that finds none says so in one line, and is skipped. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

const PLACES = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin']

/** Where the program lies; null, and a line, where it is not installed. `how` says how to get it. */
export function programAt(name: string, how: string, more: string[] = []): string | null {
  const found = [...PLACES.map((place) => path.join(place, name)), ...more].find((file) => existsSync(file)) ?? null
  if (found === null) console.log(`跳过${name} SKIPPED ${name}: ${how}`)
  return found
}

/** Helm is not in Debian; `node scripts/helm.mjs` brings it. */
export const helmAt = (): string | null => {
  const cached = path.resolve(import.meta.dirname, '../../node_modules/.cache/helm/helm')
  return programAt('helm', 'node scripts/helm.mjs', [cached])
}

export type Ran = { status: number | null; output: string }

export function ran(program: string, args: string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): Ran {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options })
  return { status, output: `${stdout}${stderr}` }
}
