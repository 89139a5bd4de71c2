import type { Pool } from '@acopay/store'
import { expect, it } from 'vitest'
import type { World } from '../../world.ts'
import { endSession } from './session.ts'

it('a session that the database could not end is not said to have ended', async () => {
  const pool = { query: () => Promise.reject(new Error('no database')) } as unknown as Pool
  await expect(endSession({ pool } as World, Buffer.alloc(32))).rejects.toThrow('no database')
})
