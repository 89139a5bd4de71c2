/**
 * The copy of the repository in which Stryker works. Stryker leaves out every expression with a type assertion, `as const`
 * too, and so the very tables that decide everything. In the copy assertions are blanks: they mean nothing when code runs.
 */
import fs from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { ROOT } from './areas.ts'

/** Ignored by git. What Stryker found before is kept beside the copy. */
export const KEPT = path.join(ROOT, '.stryker-tmp')
/** Two runs at once do not share it. */
const COPY = path.join(KEPT, `copy-${process.pid}`)

const COPIED = [
  'package.json',
  'tsconfig.json',
  'tsconfig.base.json',
  'packages',
  'apps',
  'test/support',
  'scripts',
  'docs',
]
const NOT_COPIED = ['node_modules', 'dist', 'package']

/** Makes the copy anew and returns its folder. It lies in the repository, whose `node_modules` it therefore finds. */
export function makeCopy(): string {
  removeCopy()
  for (const name of COPIED) {
    fs.cpSync(path.join(ROOT, name), path.join(COPY, name), {
      recursive: true,
      filter: (file) => !NOT_COPIED.includes(path.basename(file)),
    })
  }
  for (const file of sourcesBelow(COPY)) fs.writeFileSync(file, withoutAssertions(file, fs.readFileSync(file, 'utf8')))
  return COPY
}

export function removeCopy(): void {
  process.chdir(ROOT)
  fs.rmSync(COPY, { recursive: true, force: true, maxRetries: 5 })
}

const sourcesBelow = (folder: string): string[] =>
  fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\/src\/.*\.tsx?$/.test(name) && !/\.(?:test|d)\.tsx?$/.test(name))
    .map((name) => path.join(folder, name))

/** Every line and column stays where it is. */
export function withoutAssertions(name: string, text: string): string {
  let result = text
  const blank = (node: ts.Node): void => {
    if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) {
      const [from, until] = [node.expression.end, node.end]
      result = result.slice(0, from) + result.slice(from, until).replace(/[^\n]/g, ' ') + result.slice(until)
    }
    ts.forEachChild(node, blank)
  }
  blank(ts.createSourceFile(name, text, ts.ScriptTarget.Latest))
  return result
}
