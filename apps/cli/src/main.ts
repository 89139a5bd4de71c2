#!/usr/bin/env node
/** The process: passes arguments and environment to `run` and exits with its exit code. */
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { run } from './run.ts'
import { installedServer } from './server.ts'

/** Ctrl-C, a process manager, or a closed terminal. Windows has the first and the last of them, and Ctrl-Break. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const

const untilStopped = (): Promise<void> =>
  new Promise((resolve) => {
    for (const name of SIGNALS)
      if (name !== 'SIGBREAK' || process.platform === 'win32') process.once(name, () => resolve())
  })

const { env } = process

process.exitCode = await run(process.argv.slice(2), {
  env,
  cwd: process.cwd(),
  readInput: () => readFileSync(0, 'utf8'),
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  untilStopped,
  isColoured: process.stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
  server: installedServer,
  nowMs: () => Date.now(),
  pause: (ms, signal) => wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
})
