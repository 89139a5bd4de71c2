/** Every page of docs/decisions and docs/proof has its Chinese twin, which says as much, and every decision is in the index. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const DOCS = path.resolve(import.meta.dirname, '../docs')
const read = (page: string): string => readFileSync(path.join(DOCS, page), 'utf8')
const twinOf = (page: string): string => page.replace('.md', '.zh-CN.md')

const pagesOf = (folder: string): string[] =>
  readdirSync(path.join(DOCS, folder))
    .filter((name) => name.endsWith('.md') && !name.endsWith('.zh-CN.md'))
    .map((name) => `${folder}/${name}`)
const decisions = pagesOf('decisions')

/** Headings, paragraphs that begin bold, list items and rows of tables: these with the numbers in them, without the words. */
const skeleton = (page: string): string[] =>
  [...read(page).matchAll(/^(?:#+ |```\w*|- |\*\*(?=\S)|\|.*)/gm)].map(([line]) =>
    line.startsWith('|') ? line.replace(/[^|]*[^|\d\s.][^|]*/g, '') : line,
  )

describe.each([...decisions, ...pagesOf('proof')])('docs/%s and its Chinese twin', (page) => {
  it('have the same headings, paragraphs, lists and numbers', () => {
    expect(existsSync(path.join(DOCS, twinOf(page)))).toBe(true)
    expect(skeleton(twinOf(page))).toEqual(skeleton(page))
  })

  it('link to each other', () => {
    expect(read(page)).toContain(`[中文](${path.basename(twinOf(page))})`)
    expect(read(twinOf(page))).toContain(`[English](${path.basename(page)})`)
  })
})

it.each(['README.md', 'README.zh-CN.md'])('docs/decisions/%s has a line for every decision', (index) => {
  const numbered = decisions.map((page) => path.basename(page)).filter((name) => /^\d/.test(name))
  const lines = numbered.map(
    (name) => `| [${Number(name.slice(0, 4))}](${index === 'README.md' ? name : twinOf(name)}) | `,
  )
  expect(lines.filter((line) => !read(`decisions/${index}`).includes(line))).toEqual([])
})
