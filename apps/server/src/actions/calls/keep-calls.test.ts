import type { CallKind, CallsOfOne, LoggedCall, Pool } from '@acopay/store'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { startCallLogWriter } from '../../jobs/call-log-writer.ts'
import type { World } from '../../world.ts'
import { callLog } from './keep-calls.ts'

type Statement = { name: string; values: unknown[] }

let said: Statement[]
let isBroken: (statement: Statement) => boolean
const pool = {
  query: async (statement: Statement) => {
    said.push(statement)
    if (isBroken(statement)) throw new Error('no database')
    return { rows: [] }
  },
} as unknown as Pool
const warn = vi.fn()
const log = { warn } as unknown as World['log']
beforeEach(() => {
  said = []
  isBroken = () => false
  warn.mockClear()
})

const overAll: World['overAll'] = (list) => list({ groupOf: () => '', reach: null })
const made = () => callLog({ pool, log, max: 1000 })
const call = { requestId: 'r' } as LoggedCall

/** What each statement wrote: of each list its merchant, kind and number of calls. */
const written = (): unknown[] =>
  said
    .filter(({ name }) => name === 'addCalls')
    .map(({ values }) =>
      (JSON.parse(String(values[0])) as CallsOfOne[]).map(
        ({ mchNo, kind, calls }) => `${mchNo} ${kind} ${calls.length}`,
      ),
    )

const trimmed = (): unknown[] => said.filter(({ name }) => name === 'trimCalls').map(({ values }) => values)

describe('the log of calls', () => {
  it('writes the calls of all merchants in one statement, and none twice', async () => {
    const kept = made()
    for (const mchNo of ['M1', 'M2', 'M1']) kept.add(mchNo, 'done', call)
    kept.add('M1', 'unproven', call)
    expect(said).toEqual([])
    await kept.write()
    await kept.write()
    expect(written()).toEqual([['M1 done 2', 'M2 done 1', 'M1 unproven 1']])
  })

  it('writes at most five hundred calls in one statement, or one merchant’s', async () => {
    const kept = made()
    const sizes = { M1: 499, M2: 1, M3: 1, M4: 501, M5: 1 }
    for (const [mchNo, size] of Object.entries(sizes))
      for (let added = 0; added < size; added += 1) kept.add(mchNo, 'done', call)
    await kept.write()
    expect(written()).toEqual([['M1 done 499', 'M2 done 1'], ['M3 done 1'], ['M4 done 501'], ['M5 done 1']])
  })

  it('trims a merchant’s calls of a kind at its first write, and then whenever a tenth of what is kept was added', async () => {
    const kept = made()
    const add = async (kind: CallKind, calls: number): Promise<void> => {
      for (let added = 0; added < calls; added += 1) kept.add('M1', kind, call)
      await kept.write()
    }
    await add('done', 1)
    await add('unproven', 1)
    expect(trimmed()).toEqual([
      ['M1', 'done', 1000],
      ['M1', 'unproven', 200],
    ])
    said = []
    await add('done', 99)
    await add('unproven', 19)
    expect(trimmed()).toEqual([])
    await add('done', 1)
    await add('unproven', 1)
    expect(trimmed()).toHaveLength(2)
    await add('done', 1)
    expect(trimmed()).toHaveLength(2)
  })

  it('drops what comes beyond five thousand calls that wait, and goes on after a write', async () => {
    const kept = made()
    for (let added = 0; added < 5001; added += 1) kept.add('M1', 'done', call)
    await kept.write()
    kept.add('M1', 'done', call)
    await kept.write()
    expect(written()).toEqual([['M1 done 5000'], ['M1 done 1']])
  })

  it('drops what cannot be written, with a line in the log', async () => {
    isBroken = () => true
    const kept = made()
    kept.add('M1', 'done', call)
    await kept.write()
    isBroken = () => false
    said = []
    await kept.write()
    expect(said).toEqual([])
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ mchNo: 'M1', calls: 1 }), 'calls not logged')
  })

  it('writes each merchant’s calls by themselves where one’s cannot be written', async () => {
    isBroken = ({ values }) => String(values[0]).includes('M2')
    const kept = made()
    for (const mchNo of ['M1', 'M2', 'M3']) kept.add(mchNo, 'done', call)
    await kept.write()
    expect(written()).toEqual([['M1 done 1', 'M2 done 1', 'M3 done 1'], ['M1 done 1'], ['M2 done 1'], ['M3 done 1']])
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ mchNo: 'M2', calls: 1 }), 'calls not logged')
  })

  it('is written each second, and once more when the gateway stops', async () => {
    const kept = made()
    const pauses: number[] = []
    let wake = (): void => {}
    const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
      pauses.push(ms)
      return new Promise((resolve) => {
        wake = resolve
        signal?.addEventListener('abort', () => resolve())
      })
    }
    const writer = startCallLogWriter({
      ...{ pool, log, overAll, sleep },
      callLog: kept,
      now: () => new Date(0),
    } as unknown as World)
    await vi.waitFor(() => expect(pauses).toEqual([1000]))
    kept.add('M1', 'done', call)
    wake()
    await vi.waitFor(() => expect(pauses).toEqual([1000, 1000]))
    kept.add('M1', 'refused', call)
    await writer.stop()
    expect(said.map(({ name }) => name)).toEqual(['oldCalls', 'addCalls', 'trimCalls', 'addCalls', 'trimCalls'])
  })
})
