import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

// Workspace packages are read from their sources: a test never runs against yesterday's build.
const conditions = ['@acopay/source', ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      'simulation/**/*.test.ts',
      'races/**/*.test.ts',
      'packages/**/src/**/*.test.ts',
      'apps/**/src/**/*.test.ts',
      'test/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    globalSetup: ['test/support/postgres.ts'],
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
    maxWorkers: 2,
    // A loaded machine is slow, not wrong; what hangs is found all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
