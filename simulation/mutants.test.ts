import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { MUTANTS } from './mutants.ts'

const textOf = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')

// `npm run mutants:simulator` takes long, so an edit that breaks a mutant's text is found here.
it.each(MUTANTS)('the mutant "$name" finds its text exactly once, and changes it', ({ file, find, replace }) => {
  expect(textOf(file).split(find)).toHaveLength(2)
  expect(replace).not.toBe(find)
})

it('no two mutants have the same name', () => {
  const names = MUTANTS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
