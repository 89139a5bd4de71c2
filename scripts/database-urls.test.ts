/** A DATABASE_URL that an operator may copy, out of a page or a file for deploying, starts a gateway in production. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { databaseConnection } from '../apps/server/src/start/database-tls.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
/** Pages, and whatever is no program: compose files, charts, units, examples of settings. */
const COPIED = /(?:\.md|\.ya?ml|\.env[\w.]*|\.service|\.conf|\.toml|\.tpl|Dockerfile)$/
const NOT_COPIED = /^(?:CHANGELOG|docs\/decisions)/
const NOT_OURS = ['node_modules', '.git', '.acopay', '.stryker-tmp', '.pages', 'dist', 'package']

const filesBelow = (folder: string): string[] =>
  readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [path.join(folder, entry.name)]
    return NOT_OURS.includes(entry.name) ? [] : filesBelow(path.join(folder, entry.name))
  })

it('with sslmode wherever the host is another machine', () => {
  const urls = filesBelow('')
    .filter((file) => COPIED.test(file) && !NOT_COPIED.test(file))
    .flatMap((file) =>
      [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/postgres(?:ql)?:\/\/[^\s'"`<>|()]+/g)].map(([url]) => ({
        file,
        url,
      })),
    )
  expect(urls.length).toBeGreaterThan(3)
  const refused = urls.filter(({ url }) => {
    try {
      databaseConnection(url, 'production')
      return false
    } catch (error) {
      return (error as Error).message.includes('sslmode is missing')
    }
  })
  // A URL that is cut short (`postgres://…`) has no host.
  expect(refused.filter(({ url }) => !/:\/\/…/.test(url))).toEqual([])
})
