/**
 * The archive that `npm run dist` makes, as an operator gets it: unpacked where no repository is above it and nothing can be written.
 * The ordinary size takes the archive without PostgreSQL; the long one also that with it (ARCHIVES).
 */
import './support/only-long.ts'
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { extract } from 'tar'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VERSION } from '../apps/server/src/version.ts'
import { type TestDatabase, testDatabase } from './support/database.ts'
import { spawnNode } from './support/process.ts'
import { readmeSession } from './support/readme-session.ts'
import { SIZE } from './support/size.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const NAME = `acopay-${VERSION}`
const withPostgres = SIZE.archives > 1
/** Packing takes seconds on an idle machine. */
const BUILD_MS = 900_000

let dir: string
let program: string
let database: TestDatabase
const archiveIn = (out: string): string => path.join(dir, out, `${NAME}${withPostgres ? '' : '-server'}.tar.gz`)
const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

async function build(out: string): Promise<void> {
  const args = ['scripts/dist.mjs', '--no-start', '--out', path.join(dir, out)]
  if (!withPostgres) args.push('--without-postgres')
  await promisify(execFile)(process.execPath, args, { cwd: ROOT })
}

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-dist-'))
  await build('one')
  mkdirSync(path.join(dir, 'opt'))
  await extract({ file: archiveIn('one'), cwd: path.join(dir, 'opt') })
  program = path.join(dir, 'opt', NAME)
  await promisify(execFile)('chmod', ['-R', 'a-w', program])
  database = await testDatabase()
}, BUILD_MS)
afterAll(async () => {
  await database?.drop()
  await promisify(execFile)('chmod', ['-R', 'u+w', dir])
  rmSync(dir, { recursive: true })
})

/** Nothing of this process's environment but what a shell has. */
const shell = (more: Record<string, string> = {}) => ({
  PATH: process.env.PATH ?? '',
  HOME: path.join(dir, 'user'),
  TMPDIR: process.env.TMPDIR ?? tmpdir(),
  ...more,
})

/** Starts it until it says where it listens. */
async function started(env: Record<string, string>) {
  const nothing = Object.fromEntries(Object.keys(process.env).map((name) => [name, '']))
  const args = [path.join(program, 'bin/acopay-server'), 'start']
  const child = spawnNode(args, { ...nothing, ...shell(env), PORT: '0', LOG_LEVEL: 'error' }, dir)
  const ended = once(child, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const found = /ACO Pay gateway +(http:\S+)[\s\S]*\n\n/.exec(child.output())?.[1]
      if (found !== undefined) resolve(found)
    })
    ended.then(() => reject(new Error(child.output())))
  })
  const end = async (): Promise<number> => {
    child.kill('SIGTERM')
    return (await ended)[0]
  }
  return { url, end, output: child.output }
}

const bin = async (name: string, args: string[], env: Record<string, string> = {}): Promise<string> =>
  (await promisify(execFile)(path.join(program, 'bin', name), args, { cwd: dir, env: shell(env) })).stdout

it('is the same, byte for byte, when it is made again', { timeout: BUILD_MS }, async () => {
  await build('two')
  expect(sha256(archiveIn('two'))).toBe(sha256(archiveIn('one')))
})

describe('unpacked', () => {
  it('has what its manifest says, and all packages that it needs and no other', async () => {
    const { version, files, postgres } = JSON.parse(readFileSync(path.join(program, 'manifest.json'), 'utf8'))
    expect(version).toBe(VERSION)
    expect(postgres !== null).toBe(withPostgres)
    const wrong = Object.entries(files as Record<string, string>).filter(([file, digest]) => {
      const full = path.join(program, file)
      return !lstatSync(full).isSymbolicLink() && sha256(full) !== digest
    })
    expect(wrong).toEqual([])
    // It throws when one is missing, too many, or of another version.
    const args = ['ls', '--omit=dev', '--all', '--json', '--offline']
    const { stdout } = await promisify(execFile)('npm', args, { cwd: program, env: shell(), maxBuffer: 1e8 })
    const { problems = [], dependencies } = JSON.parse(stdout)
    expect([problems, Object.keys(dependencies)]).toEqual([[], ['@acopay/cli', '@acopay/server']])
    for (const name of ['vitest', 'typescript', 'tsdown', 'vite']) expect(stdout).not.toContain(`"${name}": {`)
  })

  it('migrates and serves a production database, with the pages, and ends with 0', async () => {
    const env = {
      DATABASE_URL: database.connectionString,
      ACOPAY_MODE: 'production',
      ACOPAY_MASTER_KEY: randomBytes(32).toString('base64'),
    }
    // The merchant's program hands it on.
    expect(await bin('acopay', ['migrate'], env)).toContain('the database is at this version')
    const gateway = await started(env)
    expect(await (await fetch(`${gateway.url}/healthz`)).json()).toEqual({ status: 'ok', version: VERSION })
    const status = async (at: string): Promise<number> => (await fetch(gateway.url + at)).status
    // On a slow machine it may say first that it is slow.
    await expect.poll(() => status('/readyz')).toBe(200)
    expect(await Promise.all(['/console/', '/reference', '/openapi.json'].map(status))).toEqual([200, 200, 200])
    expect(await gateway.end(), gateway.output()).toBe(0)
  })

  it('is a sandbox, with its own PostgreSQL where it has one, in which the session of the README goes as it says', async () => {
    const sandbox = withPostgres ? null : await testDatabase()
    const gateway = await started(sandbox === null ? {} : { DATABASE_URL: sandbox.connectionString })
    // The sandbox's settings are in the home of the user, since nothing can be written beside the program.
    const env = shell({ PATH: `${path.join(program, 'bin')}:${process.env.PATH}` })
    await readmeSession('README.md', { cwd: dir, env, called: 'acopay' })
    expect((await bin('acopay', ['version'])).split(VERSION)).toHaveLength(4)
    expect(await gateway.end(), gateway.output()).toBe(0)
    await sandbox?.drop()
  })
})
