/** Writes what a run has found between the marks of bench/README.md and of its Chinese twin. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { withMarked } from './table.ts'

const PAGES = { en: 'README.md', zh: 'README.zh-CN.md' } as const

export function writeReadmes(name: string, textOf: (language: 'en' | 'zh') => string): void {
  for (const language of ['en', 'zh'] as const) {
    const page = path.resolve(import.meta.dirname, '..', PAGES[language])
    writeFileSync(page, withMarked(readFileSync(page, 'utf8'), name, textOf(language)))
  }
}
