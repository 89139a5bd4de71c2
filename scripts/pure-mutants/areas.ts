/** What `npm run mutants:pure` mutates: sources whose tests need neither a database nor a browser. */
import fs from 'node:fs'
import path from 'node:path'
import { testFiles } from '../../test/support/tiers.ts'

export const ROOT = path.resolve(import.meta.dirname, '../..')

/** `name`: a package or an app. `mutate`: patterns for Stryker. `tests`: the unit tests that may find a mutant. */
export type Area = {
  name: string
  mutate: string[]
  tests: string[]
  /** Whether this file is mutated. */
  isWithin: (file: string) => boolean
}

const everySource = (folder: string): string[] => [
  `${folder}/**/*.{ts,tsx}`,
  // A pattern that leaves nothing out is warned of, so there is one for both.
  `!${folder}/**/*.{test.ts,test.tsx,d.ts}`,
]

/** By the name of the area. Of an app only the files without a page are named: the others need a browser. */
const SOURCES: Record<string, string[]> = {
  'packages/core': everySource('packages/core/src'),
  // What was recorded is data that `npm run record` writes, held against a gateway by test/recorded-calls.test.ts.
  'packages/protocol': [...everySource('packages/protocol/src'), '!packages/protocol/src/openapi/recorded.ts'],
  'packages/sdk': everySource('packages/sdk/src'),
  'packages/channels': everySource('packages/channels/src'),
  'apps/console': [
    'address.ts',
    'api.ts',
    'api-error.ts',
    'format.ts',
    'menu.ts',
    'tones.ts',
    'pages/explorer/explorer-calls.ts',
    'pages/explorer/explorer-sign.ts',
    'pages/orders/order-polling.ts',
    'pages/orders/refund-numbers.ts',
    'pages/orders/state-layout.ts',
    'pages/system/figures.ts',
    'pages/system/user-roles.ts',
  ].map((name) => `apps/console/src/${name}`),
  'apps/cashier': [
    'attempt-answer.ts',
    'format.ts',
    'host/outcomes.ts',
    'language.ts',
    'live.ts',
    'methods.ts',
    'order.ts',
    'status-lines.ts',
    'wallet-answers.ts',
  ].map((name) => `apps/cashier/src/${name}`),
}

export const AREA_NAMES: readonly string[] = Object.keys(SOURCES)

/** What `--in` names: an area, or a folder or a file below one, which is mutated instead of the whole area. */
export function areaOf(place: string): Area & { isWhole: boolean } {
  const [file = '', ...lines] = place.replace(/\/$/, '').split(':')
  const name = file.split('/').slice(0, 2).join('/')
  if (!fs.existsSync(path.join(ROOT, file))) throw new Error(`there is no ${file}`)
  const isFolder = fs.statSync(path.join(ROOT, file)).isDirectory()
  const below = isFolder ? everySource(file) : [[file, ...lines].join(':')]
  const isWhole = name === file && SOURCES[name] !== undefined
  const isWithin = (one: string): boolean => one === file || one.startsWith(`${file}/`)
  return { name, mutate: isWhole ? (SOURCES[name] as string[]) : below, tests: unitTestsOf(name), isWithin, isWhole }
}

/** Tests that every mistake would pay for with seconds: searches at random, and what tests the package as it is installed. */
const TOO_SLOW = /-random\.test\.ts$|\/packed\.test\.ts$/

const unitTestsOf = (name: string): string[] =>
  testFiles()
    .filter((file) => (file.tier === 'unit' || file.isSlow) && file.path.startsWith(`${name}/`))
    .map((file) => file.path)
    .filter((file) => !TOO_SLOW.test(file))
