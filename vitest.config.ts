import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'
import { isMutating, MUTATION_SETUP, mutationPlugin } from './mutation/run/vite-plugin.ts'
import { FileOrder } from './test/support/file-order.ts'
import { isLong, isQuick } from './test/support/size.ts'
import { type TestFile, type Tier, testFiles } from './test/support/tiers.ts'

// Workspace packages are read from their sources: a test never runs against yesterday's build. `module` is for bundlers: Node does not know it.
const conditions = ['@acopay/source', ...defaultServerConditions.filter((name) => name !== 'module')]
const files = testFiles()

/** No test may depend on where the machine stands: each tier stands far from China, and `npm run test:clocks` chooses. */
const ZONES = { unit: 'Asia/Kathmandu', db: 'America/Los_Angeles', pages: 'America/Los_Angeles' } as const

/** `npm run test:long` runs the files whose size can be chosen, and those that `npm test` leaves out. */
const isRun = ({ isSized, isOnlyLong }: TestFile): boolean =>
  isLong ? isSized || isOnlyLong : !(isQuick && isOnlyLong)

/** `tiers` are those of the project's files: its own, unless it is said. */
const tier = (name: Tier, groupOrder: number, tiers: Tier[] = [name]) => ({
  include: files.filter((file) => tiers.includes(file.tier) && isRun(file)).map((file) => file.path),
  name,
  // A `.env` file is for the gateway of whoever works here, and not for those of the tests.
  env: { TZ: process.env.ACOPAY_TEST_TZ ?? ZONES[name], ACOPAY_ENV_FILE: 'none' },
  sequence: { groupOrder },
})

/** A slow machine is no reason to fail; a test that hangs is still found. */
const limits = (seconds: number) => ({ testTimeout: seconds * 1000, hookTimeout: seconds * 1000 })

/** What every test file runs in. */
const SETUP = ['test/support/clock.ts', 'test/support/leave-nothing.ts']

/**
 * These tests wait for processes, browsers and pauses more than they compute: two more workers have the cores meanwhile. Each worker
 * loads the server once, and not once per file.
 */
const WAITING = {
  ...limits(300),
  maxWorkers: 4,
  isolate: isMutating,
  setupFiles: [...MUTATION_SETUP, ...SETUP],
  globalSetup: ['test/support/postgres.ts', 'test/support/gateway-bundle.ts'],
}

/** What every project shares. Written out, because a project that extends this file makes vitest read it once more. */
const base = () => ({
  plugins: mutationPlugin(),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // The global set-up is loaded in this environment, which follows neither of the two above.
  environments: { __vitest__: { resolve: { conditions } } },
})

const shared = { maxWorkers: 2, expect: { poll: { timeout: 60_000 } } }

const waiting = (name: Tier, tiers: Tier[]) => ({
  ...base(),
  test: { ...shared, ...tier(name, 1, tiers), ...WAITING },
})

/**
 * `scripts/test.cjs` says so when both run: a worker serves one project only, so two would stop workers, and load the server again,
 * wherever a file of one follows a file of the other.
 */
const arePagesInDb = process.env.ACOPAY_TEST_PAGES_IN_DB === 'yes'

export default defineConfig({
  ...base(),
  test: {
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
    ...shared,
    sequence: { sequencer: FileOrder },
    projects: [
      {
        ...base(),
        // Their modules are pure: loading them once per worker and not once per file saves a quarter of the time.
        test: {
          ...shared,
          ...tier('unit', 0),
          ...limits(60),
          isolate: isMutating,
          setupFiles: [...MUTATION_SETUP, ...SETUP, 'test/support/no-database.ts'],
        },
      },
      ...(arePagesInDb ? [waiting('db', ['db', 'pages'])] : [waiting('db', ['db']), waiting('pages', ['pages'])]),
    ],
  },
})
