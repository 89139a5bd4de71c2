/** The judge knows the gateway from outside only. */
import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

/** A merchant's own tools, what comes from npm, and how many orders a test plays. */
const ALLOWED = /^(?:\.\.\/test\/support\/size\.ts|\.\/[\w-]+\.ts|node:[\w/]+|@acopay\/(?:protocol|sdk)|vitest)$/

const files = fs.readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts'))

it.each(files)('%s imports nothing of the gateway, its stores, channels, stand-ins or the simulator', (name) => {
  const text = fs.readFileSync(path.join(import.meta.dirname, name), 'utf8')
  const found = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"\n]+)['"]/g)].map(([, target]) => target ?? '')
  expect(found.filter((target) => !ALLOWED.test(target))).toEqual([])
})

it('and a file of the server would be found', () => {
  expect(ALLOWED.test('../apps/server/src/start/config.ts')).toBe(false)
  expect(ALLOWED.test('@acopay/core')).toBe(false)
})
