import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writePrivateFile } from './private-file.ts'

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-private-'))
  file = path.join(dir, 'secret')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const modeOf = (of: string): number => statSync(of).mode & 0o777
const openFile = (text: string): void => {
  writeFileSync(file, text)
  chmodSync(file, 0o644)
}

describe('a private file', () => {
  it.each(['keep', 'replace'] as const)('that is new (%s) may be read by its owner only', (existing) => {
    writePrivateFile(file, 'mine', existing)
    expect([readFileSync(file, 'utf8'), modeOf(file)]).toEqual(['mine', 0o600])
  })

  it('that replaces a file that all users could read may be read by its owner only', () => {
    openFile('old')
    writePrivateFile(file, 'new', 'replace')
    expect([readFileSync(file, 'utf8'), modeOf(file)]).toEqual(['new', 0o600])
  })

  it('that exists keeps its text, but from now on only its owner may read it', () => {
    openFile('old')
    writePrivateFile(file, 'new', 'keep')
    expect([readFileSync(file, 'utf8'), modeOf(file)]).toEqual(['old', 0o600])
  })

  it.each(['keep', 'replace'] as const)(
    'leaves nothing else behind in its folder (%s), also when it fails',
    (existing) => {
      writePrivateFile(file, 'one', existing)
      writePrivateFile(file, 'two', existing)
      const taken = path.join(dir, 'folder')
      mkdirSync(taken)
      if (existing === 'replace') expect(() => writePrivateFile(taken, 'x', existing)).toThrow()
      expect(readdirSync(dir).sort()).toEqual(['folder', 'secret'])
    },
  )

  it('in a folder that does not exist throws', () => {
    expect(() => writePrivateFile(path.join(dir, 'none', 'x'), 'x', 'keep')).toThrow(/ENOENT/)
  })
})
