/** `npm run check` turns red for what biome.json forbids: each mistake is planted in a file of its own, and Biome reads them all at once. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '..')
const BIOME = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')

type Lint = { diagnostics: { category: string; location: { path: string } }[] }

/** The rules that each file breaks, by its path. */
function lint(files: Map<string, string>): Map<string, string[]> {
  const dir = mkdtempSync(path.join(tmpdir(), 'acopay-rules-'))
  cpSync(path.join(ROOT, 'biome.json'), path.join(dir, 'biome.json'))
  for (const [name, text] of files) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    writeFileSync(path.join(dir, name), text)
  }
  const args = [BIOME, 'lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=json', ...files.keys()]
  const { stdout } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' })
  rmSync(dir, { recursive: true })
  const { diagnostics } = JSON.parse(stdout) as Lint
  const rulesOf = (name: string): string[] =>
    diagnostics.filter(({ location }) => location.path === name).map(({ category }) => category.split('/').at(-1) ?? '')
  return new Map([...files.keys()].map((name) => [name, rulesOf(name)]))
}

const statements = (count: number): string =>
  Array.from({ length: count }, (_, index) => `  sum += ${index}`).join('\n')
/** Biome counts the lines between the braces: its limit of 58 is a function of 60 lines. */
const functionOf = (lines: number): string =>
  `export function long(): number {\n  let sum = 0\n${statements(lines - 4)}\n  return sum\n}\n`

const importing = (target: string): string => `import { thing } from '${target}'\n\nexport const use = thing\n`

/** A file with each mistake, and the rule that is to name it. */
const PLANTED: [what: string, name: string, text: string, rule: string][] = [
  ['http writes past the actions', 'apps/server/src/http/a.ts', importing('@acopay/store'), 'noRestrictedImports'],
  ['http knows the sandbox', 'apps/server/src/http/b.ts', importing('../sandbox/y.ts'), 'noRestrictedImports'],
  ['http knows the jobs', 'apps/server/src/http/merchant/c.ts', importing('../../jobs/y.ts'), 'noRestrictedImports'],
  ['an action knows HTTP', 'apps/server/src/actions/order/d.ts', importing('../../http/y.ts'), 'noRestrictedImports'],
  ['a job knows the wiring', 'apps/server/src/jobs/e.ts', importing('../start/y.ts'), 'noRestrictedImports'],
  ['a room below knows actions', 'apps/server/src/upstream/f.ts', importing('../actions/y.ts'), 'noRestrictedImports'],
  ['a function of 61 lines', 'packages/core/src/g.ts', functionOf(61), 'noExcessiveLinesPerFunction'],
  [
    'five parameters',
    'packages/core/src/h.ts',
    'export const f = (a: 1, b: 1, c: 1, d: 1, e: 1) => a + b + c + d + e\n',
    'useMaxParams',
  ],
  [
    'a promise that nothing waits for',
    'packages/core/src/i.ts',
    'async function later(): Promise<void> {}\n\nexport function now(): void {\n  later()\n}\n',
    'noFloatingPromises',
  ],
  [
    'two files that import each other, be it only types',
    'packages/core/src/j.ts',
    "import type { B } from './k.ts'\n\nexport type A = { b: B | null }\n",
    'noImportCycles',
  ],
]

const SOUND: [what: string, name: string, text: string][] = [
  ['a function of 60 lines', 'packages/core/src/l.ts', functionOf(60)],
  ['a read of http', 'apps/server/src/http/m.ts', importing('@acopay/store/read')],
  ['an action that imports a sibling', 'apps/server/src/actions/order/n.ts', importing('./y.ts')],
]

/** The other half of the circle. */
const K = "import type { A } from './j.ts'\n\nexport type B = { a: A | null }\n"

describe('npm run check', () => {
  let broken: Map<string, string[]>
  beforeAll(() => {
    const files = [...PLANTED, ...SOUND].map(([, name, text]) => [name, text] as const)
    broken = lint(new Map([...files, ['packages/core/src/k.ts', K]]))
  })

  it.each(PLANTED)('%s: red', (_what, name, _text, rule) => expect(broken.get(name)).toEqual([rule]))
  it.each(SOUND)('%s: green', (_what, name) => expect(broken.get(name)).toEqual([]))
})
