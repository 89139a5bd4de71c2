/** Where things lie, and what the processes of one run tell each other in the environment. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const ROOT = path.resolve(import.meta.dirname, '../..')
/** Beside node_modules and not in it: `npm ci` empties that, and recording takes minutes. */
export const CACHE = path.join(ROOT, '.mutation')
export const REACHED = path.join(CACHE, 'reached')

/** `record`: the tests tell what they reach. `plant`: they run with one file replaced. Not set: nothing is different. */
export const MODE = 'ACOPAY_MUTATION'
/** The folder of texts that are served in place of what lies on the disk, under the same paths. */
export const SERVED = 'ACOPAY_MUTATION_SERVED'
/** In that folder: up to which test each test file is run, by the number of the test within its file. */
export const LAST_TESTS = 'last-tests.json'

/** In that folder: stored functions as the tests' databases shall have them. */
export const FUNCTIONS = 'functions.sql'

/** The sources in which mistakes can be planted, and whose reach is therefore recorded. */
export const isPlantable = (file: string): boolean =>
  /^(?:packages|apps)\/[^/]+\/src\/.*\.ts$/.test(file) && !/\.(?:test|d)\.ts$/.test(file)

/** The migrations, in whose stored functions mistakes can be planted as well. */
export const isMigration = (file: string): boolean => /^packages\/store\/migrations\/[^/]+\.sql$/.test(file)

export const relative = (file: string): string => path.relative(ROOT, file.replace(/[?#].*$/, '')).replaceAll('\\', '/')

/** What is served for this file; null: what lies on the disk. */
export function servedText(file: string): string | null {
  const folder = process.env[SERVED]
  const name = relative(file)
  if (folder === undefined || name.startsWith('..') || name.includes('node_modules')) return null
  const served = path.join(folder, name)
  return existsSync(served) ? readFileSync(served, 'utf8') : null
}
