/** `npm run check` turns red for what biome.json forbids: each mistake is planted in a folder of its own. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '..')
const BIOME = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')

const dir = mkdtempSync(path.join(tmpdir(), 'acopay-rules-'))
cpSync(path.join(ROOT, 'biome.json'), path.join(dir, 'biome.json'))
afterAll(() => rmSync(dir, { recursive: true }))

/** What the linter prints about these files. */
function lint(files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    writeFileSync(path.join(dir, name), text)
  }
  const args = [BIOME, 'lint', '--vcs-enabled=false', ...Object.keys(files)]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' })
  for (const name of Object.keys(files)) rmSync(path.join(dir, name))
  return stdout + stderr
}

const statements = (count: number): string =>
  Array.from({ length: count }, (_, index) => `  sum += ${index}`).join('\n')
/** Biome counts the lines between the braces: its limit of 58 is a function of 60 lines. */
const functionOf = (lines: number): string =>
  `export function long(): number {\n  let sum = 0\n${statements(lines - 4)}\n  return sum\n}\n`

const importing = (target: string): string => `import { thing } from '${target}'\n\nexport const use = thing\n`

it.each<[string, string, string, string]>([
  ['http writes past the actions', 'apps/server/src/http/x.ts', importing('@acopay/store'), 'noRestrictedImports'],
  ['http knows the sandbox', 'apps/server/src/http/x.ts', importing('../sandbox/y.ts'), 'noRestrictedImports'],
  ['http knows the jobs', 'apps/server/src/http/merchant/x.ts', importing('../../jobs/y.ts'), 'noRestrictedImports'],
  ['an action knows HTTP', 'apps/server/src/actions/order/x.ts', importing('../../http/y.ts'), 'noRestrictedImports'],
  ['a job knows the wiring', 'apps/server/src/jobs/x.ts', importing('../start/y.ts'), 'noRestrictedImports'],
  ['a room below knows actions', 'apps/server/src/upstream/x.ts', importing('../actions/y.ts'), 'noRestrictedImports'],
  ['a function of 61 lines', 'packages/core/src/x.ts', functionOf(61), 'noExcessiveLinesPerFunction'],
  [
    'five parameters',
    'packages/core/src/x.ts',
    'export const f = (a: 1, b: 1, c: 1, d: 1, e: 1) => a + b + c + d + e\n',
    'useMaxParams',
  ],
  [
    'a promise that nothing waits for',
    'packages/core/src/x.ts',
    'async function later(): Promise<void> {}\n\nexport function now(): void {\n  later()\n}\n',
    'noFloatingPromises',
  ],
])('%s: red', (_what, name, text, rule) => {
  expect(lint({ [name]: text })).toContain(rule)
})

it('two files that import each other, be it only types: red', () => {
  const files = {
    'packages/core/src/a.ts': "import type { B } from './b.ts'\n\nexport type A = { b: B | null }\n",
    'packages/core/src/b.ts': "import type { A } from './a.ts'\n\nexport type B = { a: A | null }\n",
  }
  expect(lint(files)).toContain('noImportCycles')
})

it('a function of 60 lines, a read of http and an action that imports a sibling: green', () => {
  const said = lint({
    'packages/core/src/x.ts': functionOf(60),
    'apps/server/src/http/x.ts': importing('@acopay/store/read'),
    'apps/server/src/actions/order/x.ts': importing('./y.ts'),
  })
  expect(said).not.toContain('━━━ lint')
  expect(said).toContain('No fixes applied')
})
