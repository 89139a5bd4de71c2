/**
 * Decides the tier of every test file by its imports, so that no list of files is needed:
 *   pages  it reaches test/support/browser.ts: a browser, a database, the built pages
 *   db     it reaches what starts or asks for PostgreSQL, a process of ours, or what takes long: see DATABASE
 *   unit   all others: they run straight after `npm ci`
 * Only relative imports, and those of PACKAGES, are followed. `sized` files read test/support/size.ts: `npm run test:long` runs them larger.
 */
import fs from 'node:fs'
import path from 'node:path'

export type Tier = 'unit' | 'db' | 'pages'
export type TestFile = { path: string; tier: Tier; isSized: boolean }

/** What the package that starts PostgreSQL leads to. */
const EMBEDDED = 'packages/embedded-postgres/src/launcher.ts'
/** Takes as long to load as a tenth of all unit tests. */
const REDOCLY = 'node_modules/@redocly/openapi-core/package.json'
/** Packages that are followed. */
const PACKAGES = [
  ['@acopay/embedded-postgres', EMBEDDED],
  ['@redocly/openapi-core', REDOCLY],
] as const
const BROWSER = ['test/support/browser.ts']
const DATABASE = [
  'test/support/postgres.ts',
  'test/support/process.ts',
  'test/support/from-source.ts',
  EMBEDDED,
  REDOCLY,
  'races/postgres.ts',
  // To load the whole server, and to visit all states of the model, takes as long as a quarter of all unit tests may take.
  'apps/server/src/http/server.ts',
  'simulation/check.ts',
]
const SIZE = 'test/support/size.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const FOLDERS = ['packages', 'apps', 'simulation', 'races', 'scripts', 'mutation', 'test']
const NOT_SOURCE = ['node_modules', 'dist', 'package']

/** Every test file of the repository, in the order of their paths. */
export function testFiles(): TestFile[] {
  // Test files share most of what they reach.
  const texts = new Map<string, string | null>()
  const read = (file: string): string | null => {
    if (!texts.has(file)) texts.set(file, textOf(path.join(ROOT, file)))
    return texts.get(file) ?? null
  }
  return FOLDERS.flatMap(filesBelow)
    .filter((file) => /\.test\.tsx?$/.test(file))
    .map((file) => ({ path: file, ...classify(file, read) }))
}

const textOf = (file: string): string | null => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null)

/** `read` answers a file's text by its path below the repository, or null where there is none. */
export function classify(file: string, read: (file: string) => string | null): Omit<TestFile, 'path'> {
  const reached = reachedFrom(file, read)
  const reaches = (files: string[]): boolean => files.some((door) => reached.has(door))
  return { tier: reaches(BROWSER) ? 'pages' : reaches(DATABASE) ? 'db' : 'unit', isSized: reached.has(SIZE) }
}

function reachedFrom(start: string, read: (file: string) => string | null): Set<string> {
  const reached = new Set([start])
  for (const file of reached) {
    for (const [, target = ''] of read(file)?.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^'\n]+)'/g) ?? []) {
      reached.add(path.posix.join(path.posix.dirname(file), target))
    }
    for (const [name, leadsTo] of PACKAGES) if (read(file)?.includes(`from '${name}'`)) reached.add(leadsTo)
  }
  return reached
}

function filesBelow(folder: string): string[] {
  return fs
    .readdirSync(path.join(ROOT, folder), { withFileTypes: true })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const name = `${folder}/${entry.name}`
      if (!entry.isDirectory()) return [name]
      return NOT_SOURCE.includes(entry.name) ? [] : filesBelow(name)
    })
}
