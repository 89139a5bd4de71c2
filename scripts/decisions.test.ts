/** The indexes of docs/decisions have a line for every decision. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const DECISIONS = path.resolve(import.meta.dirname, '../docs/decisions')

it.each([
  ['README.md', /^\d{4}-[^.]*\.md$/],
  ['README.zh-CN.md', /^\d{4}-.*\.zh-CN\.md$/],
])('docs/decisions/%s has a line for every decision', (index, pages) => {
  const text = readFileSync(path.join(DECISIONS, index), 'utf8')
  const names = readdirSync(DECISIONS).filter((name) => pages.test(name))
  expect(names.filter((name) => !text.includes(`| [${Number(name.slice(0, 4))}](${name}) | `))).toEqual([])
})
