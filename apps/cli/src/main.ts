#!/usr/bin/env node
/** The process: passes arguments and environment to `run` and exits with its exit code. */
import { readFileSync } from 'node:fs'
import { run } from './run.ts'

const untilStopped = (): Promise<void> =>
  new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve())
  })

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  readInput: () => readFileSync(0, 'utf8'),
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  untilStopped,
})
