/**
 * `npm run test:citus`: the store's tests and sessions of the server against a Citus of one node, which is made for this run. Says what it
 * leaves out and why; `-- FILE …` runs only these files. Where there is no Citus it says how to get one. Installs and fetches nothing.
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { citusPrograms, HOW_TO_GET_CITUS, startCitus } from '../test/support/citus.ts'
import { CITUS_FILES, FILES_LEFT_OUT, leavingOut, TESTS_LEFT_OUT } from '../test/support/citus-tests.ts'
import { ownTemporaryFolder, quickFolder } from './leftovers.mjs'

const ROOT = path.dirname(import.meta.dirname)
/** Each database is a hundred tables and more to copy, and each statement is planned twice. */
const PATIENCE_MS = 120_000

async function main(files: string[]): Promise<number> {
  if (citusPrograms() === null) {
    console.log(`跳过 SKIPPED: ${HOW_TO_GET_CITUS}\n0 passed, 0 failed`)
    return 0
  }
  for (const [what, why] of Object.entries({ ...FILES_LEFT_OUT, ...TESTS_LEFT_OUT }))
    console.log(`left out: ${what}: ${why}`)
  const { prepare } = createRequire(import.meta.url)('./prepare.cjs') as {
    prepare: (what: { build: 'pages' }) => Promise<void>
  }
  await prepare({ build: 'pages' })
  const dir = ownTemporaryFolder(quickFolder(), 'acopay-citus-')
  const citus = await startCitus(dir)
  try {
    const args = [
      ...['run', '--project', 'db', ...(files.length > 0 ? files : CITUS_FILES)],
      ...Object.keys(FILES_LEFT_OUT).flatMap((file) => ['--exclude', file]),
      ...[
        '-t',
        leavingOut(Object.keys(TESTS_LEFT_OUT)),
        `--test-timeout=${PATIENCE_MS}`,
        `--hook-timeout=${PATIENCE_MS}`,
      ],
    ]
    const env = { ...process.env, TEST_DATABASE_URL: citus.url, ACOPAY_TEST_CITUS: '1' }
    const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
    return spawnSync(process.execPath, [vitest, ...args], { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1
  } finally {
    await citus.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

process.exitCode = await main(process.argv.slice(2))
