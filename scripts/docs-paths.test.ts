/** Files that the documents name are there: a move that forgets a document turns this red. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '..')
/** Documents may leave out the first part of a path within the server. */
const BASES = ['', 'apps/server/src', 'docs']

const documents = [
  ...['README.md', 'README.zh-CN.md', 'CONTRIBUTING.md', 'packages/channels/README.md', 'bench/README.md'],
  ...['docs', 'docs/wire', 'docs/decisions', 'docs/proof'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
]

it.each(documents)('%s names only files that exist', (name) => {
  const text = readFileSync(path.join(ROOT, name), 'utf8')
  const named = [...text.matchAll(/`([\w.-]+(?:\/[\w.-]+)+\.(?:ts|tsx|mjs|cjs|md|json|sql))`/g)].map(
    ([, file]) => file ?? '',
  )
  const bases = [...BASES, path.dirname(name)]
  // What a start makes is not in the repository.
  const missing = named.filter(
    (file) => !file.startsWith('.acopay/') && !bases.some((base) => existsSync(path.join(ROOT, base, file))),
  )
  expect(missing).toEqual([])
})
