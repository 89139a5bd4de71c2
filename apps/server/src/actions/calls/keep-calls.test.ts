import type { LoggedCall, Pool } from '@acopay/store'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { startCallLogWriter } from '../../jobs/call-log-writer.ts'
import type { World } from '../../world.ts'
import { callLog } from './keep-calls.ts'

type Statement = { name: string; values: unknown[] }

let said: Statement[]
let isBroken: boolean
const pool = {
  query: async (statement: Statement) => {
    said.push(statement)
    if (isBroken) throw new Error('no database')
    return { rows: [] }
  },
} as unknown as Pool
const warn = vi.fn()
const log = { warn } as unknown as World['log']
beforeEach(() => {
  said = []
  isBroken = false
  warn.mockClear()
})

const made = () => callLog({ pool, log, max: 1000 })
const call = { requestId: 'r' } as LoggedCall

/** How many calls each statement wrote, with its merchant, kind and bound. */
const written = (): unknown[] =>
  said.map(({ values: [mchNo, kind, calls, max] }) => [mchNo, kind, JSON.parse(String(calls)).length, max])

describe('the log of calls', () => {
  it('writes the calls of a merchant and a kind in one statement, and none twice', async () => {
    const kept = made()
    for (const mchNo of ['M1', 'M2', 'M1']) kept.add(mchNo, 'done', call)
    kept.add('M1', 'unproven', call)
    expect(said).toEqual([])
    await kept.write()
    await kept.write()
    expect(written()).toEqual([
      ['M1', 'done', 2, 1000],
      ['M2', 'done', 1, 1000],
      ['M1', 'unproven', 1, 200],
    ])
  })

  it('drops what comes beyond five thousand calls that wait, and goes on after a write', async () => {
    const kept = made()
    for (let added = 0; added < 5001; added += 1) kept.add('M1', 'done', call)
    await kept.write()
    kept.add('M1', 'done', call)
    await kept.write()
    expect(written()).toEqual([
      ['M1', 'done', 5000, 1000],
      ['M1', 'done', 1, 1000],
    ])
  })

  it('drops what cannot be written, with a line in the log', async () => {
    isBroken = true
    const kept = made()
    kept.add('M1', 'done', call)
    await kept.write()
    isBroken = false
    await kept.write()
    expect(said).toHaveLength(1)
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ mchNo: 'M1', calls: 1 }), 'calls not logged')
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
    const writer = startCallLogWriter({ pool, log, callLog: kept, now: () => new Date(0), sleep } as unknown as World)
    await vi.waitFor(() => expect(pauses).toEqual([1000]))
    kept.add('M1', 'done', call)
    wake()
    await vi.waitFor(() => expect(pauses).toEqual([1000, 1000]))
    kept.add('M1', 'refused', call)
    await writer.stop()
    expect(said.map(({ name }) => name)).toEqual(['oldCalls', 'addCalls', 'addCalls'])
  })
})
