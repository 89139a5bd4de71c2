import type { Pool } from '@acopay/store'
import { expect, it } from 'vitest'
import type { World } from '../../world.ts'
import { settleRestored } from './settle-restored.ts'

it('a gateway that starts while another one settles the restoration waits a second between its looks, until that is done', async () => {
  const pauses: number[] = []
  const query = async ({ name }: { name: string }) => {
    if (name === 'holdRestoration') return { rows: [] }
    return { rows: pauses.length < 2 ? [{ beganAt: new Date(0), restoredTo: new Date(0) }] : [] }
  }
  const world = {
    pool: { query } as unknown as Pool,
    now: () => new Date(0),
    sleep: async (ms: number) => void pauses.push(ms),
  } as unknown as World
  await settleRestored(world, new AbortController().signal)
  expect(pauses).toEqual([1000, 1000])
})
