/** The session that both READMEs show, run as it is written. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, it } from 'vitest'
import { NPM_START, type StartedProcess, startProcess } from './support/process.ts'
import { readmeSession } from './support/readme-session.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
/** Where nothing is built yet, `npm start` builds all of it. */
const BUILD_MS = 600_000

let home: string
let gateway: StartedProcess
beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'acopay-readme-'))
  gateway = await startProcess({ ACOPAY_HOME: home }, NPM_START)
}, BUILD_MS)
afterAll(async () => {
  await gateway.end('SIGINT')
  rmSync(home, { recursive: true })
})

it.each(['README.md', 'README.zh-CN.md'])('%s prints what it says it prints', async (name) => {
  const env = { ...process.env, ACOPAY_CONFIG: path.join(home, 'demo.json') }
  await readmeSession(name, { cwd: ROOT, env, called: 'npm run acopay --' })
})
