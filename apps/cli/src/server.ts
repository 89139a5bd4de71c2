/** The gateway's own program, which operators use, where it is installed beside this one: in the archive, a project, this repository. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import path from 'node:path'

export type Server = {
  version: string
  /** Runs its command with this process's input and output. Returns the exit code. */
  run: (argv: string[]) => Promise<number>
}

/** Null where there is none. */
export function installedServer(): Server | null {
  let manifest: string
  try {
    manifest = createRequire(import.meta.url).resolve('@acopay/server/package.json')
  } catch {
    return null
  }
  const { version, bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  const program = path.join(path.dirname(manifest), bin['acopay-server'])
  return { version, run: (argv) => runProgram(program, argv) }
}

async function runProgram(program: string, argv: string[]): Promise<number> {
  const child = spawn(process.execPath, [program, ...argv], { stdio: 'inherit' })
  // The server ends first, and says how.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return code ?? 128 + constants.signals[signal as NodeJS.Signals]
}
