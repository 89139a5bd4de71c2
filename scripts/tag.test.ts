import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { tagObjections } from './tag.mjs'

const ROOT = new URL('../', import.meta.url)
const textOf = (file: string) => readFileSync(new URL(file, ROOT), 'utf8')
const good = () => ({
  version: '1.2.3',
  others: [{ name: 'a', version: '1.2.3' }],
  changelogs: [{ file: 'CHANGELOG.md', text: '# Changelog\n\n## 1.2.3 (2026-11-27)\n\n- **A thing**\n\n## 1.2.2\n' }],
  changed: [] as string[],
  tags: ['v1.2.2'],
})

it('a commit is tagged when it is whole, every package has the version, and the changelog tells of it', () => {
  expect(tagObjections(good())).toEqual([])
  for (const [wrong, says] of [
    [{ changed: [' M a.ts'] }, 'not committed:  M a.ts'],
    [{ others: [{ name: 'a', version: '1.2.2' }] }, 'is 1.2.2, not 1.2.3'],
    [{ changelogs: [{ file: 'X.md', text: '## 1.2.3\n\n## 1.2.2\n\n- old\n' }] }, 'X.md'],
    [{ changelogs: [{ file: 'X.md', text: '## 1x2.3\n\n- no\n' }] }, 'X.md'],
    [{ changelogs: [{ file: 'X.md', text: '## Unreleased\n\n- no\n' }] }, 'X.md'],
    [{ tags: ['v1.2.3'] }, 'v1.2.3'],
  ] as const) {
    expect(tagObjections({ ...good(), ...(wrong as object) })).toEqual([expect.stringContaining(says)])
  }
})

it('the version of this repository has its entry in both changelogs, and is the one that support is promised for', () => {
  const { version } = JSON.parse(textOf('package.json'))
  const changelogs = ['CHANGELOG.md', 'CHANGELOG.zh-CN.md'].map((file) => ({ file, text: textOf(file) }))
  expect(tagObjections({ version, others: [], changelogs, changed: [], tags: [] })).toEqual([])
})
