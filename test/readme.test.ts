/** The session that both READMEs show, run as it is written. */
import { exec } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { NPM_START, type StartedProcess, startProcess } from './support/process.ts'

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

/** What differs from run to run. */
const masked = (text: string): string =>
  text
    .replace(/AP\d{36}/g, 'AP…')
    .replace(/\b\d{17}[0-9a-f]{20}\b/g, '…')
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, 'http://…')
    .replace(/(cashier\/\S+\/)\S+/g, '$1…')

it.each(['README.md', 'README.zh-CN.md'])('%s prints what it says it prints', async (name) => {
  const readme = readFileSync(path.join(ROOT, name), 'utf8')
  const session = /```console\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const steps = session.split(/^\$ /m).slice(1)
  expect(steps).toHaveLength(3)
  let transactionNo = ''
  for (const step of steps) {
    const [command = '', ...printed] = step.trimEnd().split('\n')
    const env = { ...process.env, ACOPAY_CONFIG: path.join(home, 'demo.json') }
    const { stdout } = await promisify(exec)(command.replace(/AP\d{36}/, transactionNo), { cwd: ROOT, env })
    transactionNo = /AP\d{36}/.exec(stdout)?.[0] ?? transactionNo
    expect(masked(stdout.trimEnd())).toBe(masked(printed.join('\n')))
  }
})
