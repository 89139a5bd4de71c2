/**
 * The tests that Stryker runs, within its copy of the repository. A package that imports a sibling gets the sibling of
 * this copy: through `node_modules` it would get the original, in which nothing is mutated.
 */
import fs from 'node:fs'
import path from 'node:path'
import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'
import { TESTS_VARIABLE } from './tests-variable.ts'

const COPY = process.cwd()
const conditions = ['@acopay/source', ...defaultServerConditions]

function siblingOfThisCopy(source: string): string | null {
  const [, name, rest] = /^@acopay\/([^/]+)(\/.+)?$/.exec(source) ?? []
  if (name === undefined) return null
  const folder = path.join(COPY, 'packages', name)
  const { exports } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
  return path.join(folder, exports[`.${rest ?? ''}`]['@acopay/source'])
}

export default defineConfig({
  plugins: [{ name: 'siblings', enforce: 'pre', resolveId: siblingOfThisCopy }],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: process.env[TESTS_VARIABLE]?.split(',') ?? [],
    // One worker for all files of a run: each mistake pays for a start of the worker and not for a dozen.
    isolate: false,
    setupFiles: ['test/support/no-database.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
