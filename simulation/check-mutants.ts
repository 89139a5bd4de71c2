/**
 * `npm run mutants:simulator`: applies each mutant to a copy of the sources, simulates until an invariant breaks, and prints how
 * many seeds that took. `--only TEXT`: those with this text in their name. `--skip N`: not the first N.
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startDatabase } from './gateway/database.ts'
import type { Mutant } from './mutants/mutant.ts'
import { MUTANTS } from './mutants.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '4000' },
    only: { type: 'string' },
    skip: { type: 'string', default: '0' },
  },
})
const ROOT = path.resolve(import.meta.dirname, '..')

const copy = mkdtempSync(path.join(tmpdir(), 'acopay-mutants-'))
copySources()
const database = await startDatabase()
let survivors = 0
const chosen = MUTANTS.slice(Number(values.skip)).filter(
  ({ name }) => values.only === undefined || name.includes(values.only),
)
for (const mutant of chosen) {
  const found = await seedsUntilFound(mutant)
  if (found === null) survivors += 1
  const says =
    found === null ? `SURVIVED ${values.seeds} seeds` : `${String(found.schedules).padStart(5)} seeds  ${found.what}`
  process.stdout.write(`${mutant.name.padEnd(84)} ${says}\n`)
}
process.stdout.write(`${chosen.length - survivors} of ${chosen.length} mutants found\n`)
await database.stop()
rmSync(copy, { recursive: true, force: true })
process.exit(survivors === 0 ? 0 : 1)

/** Copies the sources, and makes a node_modules whose workspace packages point into the copy. */
function copySources(): void {
  const files = execFileSync(
    'git',
    ['ls-files', '-co', '--exclude-standard', 'packages', 'apps', 'simulation', 'test/support/oracle'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  )
  for (const file of [...files.trim().split('\n'), 'package.json', 'tsconfig.base.json', 'tsconfig.json']) {
    cpSync(path.join(ROOT, file), path.join(copy, file), { recursive: true })
  }
  const modules = path.join(copy, 'node_modules')
  mkdirSync(path.join(modules, '@acopay'), { recursive: true })
  for (const name of readdirSync(path.join(ROOT, 'node_modules'))) {
    if (name !== '@acopay' && !name.startsWith('.'))
      symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name))
  }
  for (const name of readdirSync(path.join(ROOT, 'packages'))) {
    symlinkSync(path.join(copy, 'packages', name), path.join(modules, '@acopay', name))
  }
}

async function seedsUntilFound(mutant: Mutant): Promise<{ schedules: number; what: string } | null> {
  const file = path.join(copy, mutant.file)
  const original = readFileSync(file, 'utf8')
  if (original.split(mutant.find).length !== 2) throw new Error(`${mutant.name}: not exactly once in ${mutant.file}`)
  // A mutant may call `nowhere(...)`, which is always false: it uses a value that would otherwise be unused.
  const changed = original.replace(mutant.find, () => mutant.replace)
  writeFileSync(
    file,
    mutant.replace.includes('nowhere') ? `${changed}\nconst nowhere = (_any?: unknown): boolean => false\n` : changed,
  )
  const output = await simulated()
  writeFileSync(file, original)
  const what = /^ {2}(seed \d+: .*)$/m.exec(output)?.[1]
  const schedules = Number(/^(\d+) schedules, seeds/m.exec(output)?.[1] ?? 0)
  if (what !== undefined) return { schedules, what }
  if (!output.includes('0 violations')) throw new Error(`${mutant.name}: ${output}`)
  return null
}

function simulated(): Promise<string> {
  const args = ['--import', 'tsx', '--conditions=@acopay/source', 'simulation/simulate.ts']
  const child = spawn(process.execPath, [...args, '--seeds', values.seeds, '--stop-at-first'], {
    cwd: copy,
    env: { ...process.env, SIMULATION_DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve) => child.on('exit', () => resolve(Buffer.concat(chunks).toString())))
}
