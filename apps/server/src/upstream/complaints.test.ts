import { type Channel, unknown } from '@acopay/channels'
import { beforeEach, describe, expect, it } from 'vitest'
import { withComplaints } from './complaints.ts'

const signal = new AbortController().signal
const REF = { attemptNo: 'AT1' }
const REFUSED = { ...unknown('HTTP 401'), complaint: 'SIGN_ERROR' }

let noted: (string | null)[]
let says: Record<'query' | 'close', object>
let channel: Channel
beforeEach(() => {
  noted = []
  says = { query: { kind: 'open' }, close: { kind: 'accepted' } }
  const real = { query: async () => says.query, close: async () => says.close } as unknown as Channel
  channel = withComplaints(real, async (complaint) => void noted.push(complaint))
})
const ask = async (verb: 'query' | 'close') => channel[verb](REF, signal)

describe("an upstream's complaint", () => {
  it('is noted once, however often it is made, and given back with the answer', async () => {
    says.query = REFUSED
    expect(await ask('query')).toEqual(REFUSED)
    await ask('query')
    await ask('query')
    expect(noted).toEqual(['SIGN_ERROR'])
  })

  it('of another word is noted again', async () => {
    says.query = REFUSED
    await ask('query')
    says.query = { ...REFUSED, complaint: 'NO_AUTH' }
    await ask('query')
    expect(noted).toEqual(['SIGN_ERROR', 'NO_AUTH'])
  })

  it('ends when the same kind of call is answered, not when another one is, nor when there is no answer', async () => {
    says.query = REFUSED
    await ask('query')
    await ask('close')
    says.query = unknown('HTTP 502')
    await ask('query')
    expect(noted).toEqual(['SIGN_ERROR'])
    says.query = { kind: 'absent' }
    await ask('query')
    await ask('query')
    expect(noted).toEqual(['SIGN_ERROR', null])
  })

  it('of an earlier process ends with the first answer', async () => {
    says.close = unknown('HTTP 502')
    await ask('close')
    expect(noted).toEqual([])
    await ask('query')
    await ask('query')
    expect(noted).toEqual([null])
  })
})
