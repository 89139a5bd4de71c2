/**
 * Decides the tier of every test file by its imports, so that no list of files is needed:
 *   pages  it reaches test/support/browser.ts: a browser, a database, the built pages
 *   db     it reaches what starts or asks for PostgreSQL, a process of ours, or what takes long: see DATABASE
 *   unit   all others: they run straight after `npm ci`
 * Only relative imports, and those of PACKAGES, are followed. `sized` files read test/support/size.ts: `npm run test:long` runs them larger.
 * `isSlow` files import test/support/slow.ts: they need no database either, and belong to `db` for the time that they take.
 * `isOnlyLong` files import test/support/only-long.ts: `npm test` leaves them to `npm run test:long`.
 */
import fs from 'node:fs'
import path from 'node:path'

export type Tier = 'unit' | 'db' | 'pages'
export type TestFile = { path: string; tier: Tier; isSized: boolean; isOnlyLong: boolean; isSlow: boolean }

/** What the package that starts PostgreSQL leads to. */
const EMBEDDED = 'packages/embedded-postgres/src/launcher.ts'
/** Takes as long to load as a tenth of all unit tests. */
const REDOCLY = 'node_modules/@redocly/openapi-core/package.json'
/** Its HTTP client replaces `destroy` of every socket of its process. A gateway that stops in that process waits for ever. */
const ALIPAY_SDK = 'node_modules/alipay-sdk/package.json'
/** Packages that are followed. */
const PACKAGES = [
  ['@acopay/embedded-postgres', EMBEDDED],
  ['@redocly/openapi-core', REDOCLY],
  ['alipay-sdk', ALIPAY_SDK],
] as const
const BROWSER = ['test/support/browser.ts']
const SLOW = 'test/support/slow.ts'
const DATABASE = [
  'test/support/postgres.ts',
  'test/support/process.ts',
  'test/support/programs.ts',
  'test/support/from-source.ts',
  'test/support/signer.ts',
  EMBEDDED,
  REDOCLY,
  'races/postgres.ts',
  // To load the whole server, and to visit all states of the model, takes as long as a quarter of all unit tests may take.
  'apps/server/src/http/server.ts',
  'simulation/check.ts',
]
const SIZE = 'test/support/size.ts'
const ONLY_LONG = 'test/support/only-long.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const FOLDERS = ['packages', 'apps', 'simulation', 'races', 'scripts', 'mutation', 'bench', 'test']
const NOT_SOURCE = ['node_modules', 'dist', 'package', 'results']

/** Every test file of the repository, in the order of their paths. */
export function testFiles(): TestFile[] {
  const importsOf = importsIn((file) => textOf(path.join(ROOT, file)))
  return FOLDERS.flatMap(filesBelow)
    .filter((file) => /\.test\.tsx?$/.test(file))
    .map((file) => ({ path: file, ...classify(file, importsOf) }))
}

const textOf = (file: string): string | null => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null)

type ImportsOf = (file: string) => string[]

/** `importsOf` answers the files that a file imports, by paths below the repository. */
export function classify(file: string, importsOf: ImportsOf): Omit<TestFile, 'path'> {
  const reached = new Set([file])
  for (const one of reached) for (const target of importsOf(one)) reached.add(target)
  const reaches = (files: string[]): boolean => files.some((door) => reached.has(door))
  const isSlow = reached.has(SLOW)
  const tier = reaches(BROWSER) ? 'pages' : isSlow || reaches(DATABASE) ? 'db' : 'unit'
  if (tier !== 'unit' && reached.has(ALIPAY_SDK))
    throw new Error(`${file} loads alipay-sdk, so it cannot share a process with gateways: it has to be a unit test`)
  return {
    tier,
    isSized: reached.has(SIZE),
    isOnlyLong: reached.has(ONLY_LONG),
    isSlow,
  }
}

/** `read` answers a file's text, or null where there is none. Each is read once: test files share most of what they reach. */
export function importsIn(read: (file: string) => string | null): ImportsOf {
  const known = new Map<string, string[]>()
  return (file) => {
    const imports = known.get(file) ?? importsOfText(path.posix.dirname(file), read(file) ?? '')
    known.set(file, imports)
    return imports
  }
}

const importsOfText = (folder: string, text: string): string[] => [
  ...[...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^'\n]+)'/g)].map(([, target = '']) =>
    path.posix.join(folder, target),
  ),
  ...PACKAGES.filter(([name]) => text.includes(`from '${name}'`)).map(([, leadsTo]) => leadsTo),
]

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
