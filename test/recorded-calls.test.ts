/**
 * The examples of the OpenAPI document against a gateway: what it answers today has the shape of what was recorded.
 * `npm run record` runs this file with RECORD_CALLS=1, and writes what it records.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { RECORDED, type Recorded } from '@acopay/protocol'
import { beforeAll, expect, it } from 'vitest'
import { recordCalls } from './support/record-calls.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const FILE = 'packages/protocol/src/openapi/recorded.ts'

let today: Recorded
beforeAll(async () => {
  today = await recordCalls()
  if (process.env.RECORD_CALLS === '1') write(today)
})

function write(recorded: Recorded): void {
  const head = `/** Written by \`npm run record\`: do not edit. */\nimport type { Recorded } from './recording.ts'\n`
  writeFileSync(path.join(ROOT, FILE), `${head}\nexport const RECORDED: Recorded = ${JSON.stringify(recorded)}\n`)
  const biome = path.join(ROOT, 'node_modules/@biomejs/biome/bin/biome')
  execFileSync(process.execPath, [biome, 'check', '--write', FILE], { cwd: ROOT })
}

/** The names and types of a value, those of the lists inside texts too; `code`, `message` and other words as they are. */
function shapeOf(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => shapeOf(one))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shapeOf(one, key)]))
  }
  if (typeof value === 'string' && value.startsWith('[{')) return shapeOf(JSON.parse(value))
  return WORDS.has(name) ? value : value === null ? 'null' : typeof value
}

const WORDS = new Set(['call', 'name', 'zh', 'en', 'status', 'message', 'fieldErrors', 'code', 'httpStatus', 'error'])

it('the gateway still asks and answers as in the examples of the OpenAPI document (else: npm run record)', () => {
  const recorded = process.env.RECORD_CALLS === '1' ? today : RECORDED
  expect(shapeOf(today)).toEqual(shapeOf(recorded))
})
