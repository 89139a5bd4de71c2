/** Files that the documents name are there: a move that forgets a document turns this red. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { readPages } from './pages.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
/** Documents may leave out the first part of a path within the server, or within the channels. */
const BASES = ['', 'apps/server/src', 'docs', 'packages/channels/src']

/** A decision, and the list of changes, also name what is gone. */
const pages = [...readPages()].filter(([name]) => !/^docs\/decisions\/|^CHANGELOG/.test(name))

it.each(pages)('%s names only files that exist', (name, text) => {
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
