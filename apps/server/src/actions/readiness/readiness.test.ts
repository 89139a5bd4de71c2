import { expect, it } from 'vitest'
import type { World } from '../../world.ts'
import { readiness } from './readiness.ts'

/** A process whose database fails in this way. */
const whyNot = (error: object) =>
  readiness({
    phase: () => 'ready',
    now: () => new Date(0),
    sleep: () => new Promise(() => {}),
    pool: { connect: () => Promise.reject(Object.assign(new Error('lost'), error)) },
  } as unknown as World)()

it.each(['25006', '0A000', 'XX000', 'P0001'])('an answer of PostgreSQL is told with its code %s', async (code) => {
  expect(await whyNot({ code })).toEqual({ status: 'database refuses', code })
})

it.each(['EPIPE', 'ECONNREFUSED', 'CERT_HAS_EXPIRED'])(
  'a connection that fails with %s is no answer, and says so',
  async (code) => {
    expect(await whyNot({ code })).toEqual({ status: 'database unreachable', code })
  },
)

it('a connection that ends without a code is no answer', async () => {
  expect(await whyNot({})).toEqual({ status: 'database unreachable' })
})
