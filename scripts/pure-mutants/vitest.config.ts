/**
 * The tests that Stryker runs, within its copy of the repository. A package that imports a sibling gets the sibling of
 * this copy: through `node_modules` it would get the original, in which nothing is mutated.
 */
import fs from 'node:fs'
import path from 'node:path'
import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type Reporter, type TestSpecification, type Vitest } from 'vitest/node'
import { TESTS_VARIABLE } from './tests-variable.ts'
import { UNFINISHED, WARM_POOL } from './warm-pool.ts'

const COPY = process.cwd()
const conditions = ['@acopay/source', ...defaultServerConditions]

function siblingOfThisCopy(source: string): string | null {
  const [, name, rest] = /^@acopay\/([^/]+)(\/.+)?$/.exec(source) ?? []
  if (name === undefined) return null
  const folder = path.join(COPY, 'packages', name)
  const { exports } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
  return path.join(folder, exports[`.${rest ?? ''}`]['@acopay/source'])
}

/** The file that found the last mistake comes first, then the quick ones: the first test that fails ends the run. */
class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const ranked = files.map((file) => ({ file, rank: this.#rankOf(file) }))
    return ranked.sort((one, other) => one.rank - other.rank).map(({ file }) => file)
  }

  #rankOf({ project, moduleId }: TestSpecification): number {
    const known = this.ctx.cache.getFileTestResults(`${project.name}:${path.relative(this.ctx.config.root, moduleId)}`)
    if (known === undefined) return Number.MAX_VALUE
    return known.failed ? -1 : known.duration
  }
}

/**
 * Stryker looks at tests only. A file that a mistake keeps from being read, or whose beforeAll fails, has none that ran and is
 * told to Stryker as an error.
 */
class UnfinishedFiles implements Reporter {
  #vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  onTestModuleEnd: NonNullable<Reporter['onTestModuleEnd']> = (module) => {
    if (module.ok() || !module.children.allTests('failed').next().done) return
    this.#vitest?.state.catchError(new Error(`${module.moduleId} was not finished`), UNFINISHED)
  }
}

export default defineConfig({
  plugins: [
    { name: 'siblings', enforce: 'pre', resolveId: siblingOfThisCopy },
    // Stryker's runner sets a pool of its own, after this file is read.
    {
      name: 'warm-pool',
      configureVitest: ({ project }) => Object.assign(project.config, { pool: WARM_POOL.name, poolRunner: WARM_POOL }),
    },
  ],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: process.env[TESTS_VARIABLE]?.split(',') ?? [],
    // One worker for all files of a run: each mistake pays for a start of the worker and not for a dozen.
    isolate: false,
    reporters: [new UnfinishedFiles()],
    sequence: { sequencer: QuickFirst },
    setupFiles: ['test/support/no-database.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
