import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { type Mutant, mutated } from '../mutant.ts'
import { plant } from '../plant/plant.ts'
import { conduct, type Verdict } from './conduct.ts'
import { ROOT } from './places.ts'

const FILE = 'packages/core/src/money.ts'
const TEST = 'packages/core/src/money.test.ts'
const text = readFileSync(path.join(ROOT, FILE), 'utf8')

/** The first boundary that the file has, turned. */
const mistake = (): Mutant => {
  const found = plant(FILE, text).find(({ kind }) => kind === 'condition decided')
  if (found === undefined) throw new Error(`${FILE} decides nothing any more: choose another file`)
  return found
}

it('a planted mistake is found by the test of its file, and a change that changes nothing survives', async () => {
  const wrong = mistake()
  const same: Mutant = { ...wrong, id: 'nothing', replacement: ` ${text.slice(wrong.start, wrong.end)} ` }
  expect(mutated(text, same)).not.toBe(text)
  const queue = [wrong, same]
  const verdicts = new Map<string, Verdict>()
  const feels = [{ path: TEST, last: Number.MAX_SAFE_INTEGER, ms: 500, isByLoading: false, tests: {} }]
  await conduct(
    () => queue.shift() ?? null,
    { of: () => feels },
    { workers: 1, patienceMs: 90_000, isFresh: true },
    ({ id }, verdict) => verdicts.set(id, verdict),
  )
  expect(verdicts.get(wrong.id)).toMatchObject({ kind: 'found', by: expect.stringContaining(TEST) })
  expect(verdicts.get('nothing')).toEqual({ kind: 'survived', ran: 1, left: 0 })
})
