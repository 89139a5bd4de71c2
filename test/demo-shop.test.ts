/** `npm run demo:shop`, ended at two moments. */
import './support/only-long.ts'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { FROM_SOURCE } from './support/from-source.ts'
import { spawnNode } from './support/process.ts'

const DEMO = path.resolve(import.meta.dirname, '../examples/shop/demo.ts')
const PATIENCE_MS = 120_000

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'd-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What the demo made; tsx keeps its own files in the same place. */
const made = (): string[] => readdirSync(folder).filter((name) => name.startsWith('acopay-'))

it.each([
  ['while its gateway starts', () => made().length > 0],
  ['when it is up', (output: string) => output.includes('Ctrl-C')],
])('SIGTERM %s ends the shop and its gateway with 0, and their folder goes', async (_when, isReached) => {
  const child = spawnNode([...FROM_SOURCE, DEMO], { TMPDIR: folder })
  const ended = once(child, 'exit')
  await vi.waitFor(() => expect(isReached(child.output())).toBe(true), PATIENCE_MS)
  child.kill('SIGTERM')
  expect([await ended, child.output()]).toEqual([[0, null], expect.any(String)])
  expect(made()).toEqual([])
})
