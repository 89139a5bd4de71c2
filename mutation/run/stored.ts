/** Stored functions with a mistake in: the databases that the tests copy get them before a test file begins. */
import { existsSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { inject } from 'vitest'

/** How the failure begins when the database refuses the planted text, which says nothing of any test. */
export const NOT_STORED = 'the planted function was not stored'
const COPIED = ['acopay_template', 'acopay_template_started']

export async function storeFunctions(place: string): Promise<void> {
  const server = inject('postgresUrl') as string | undefined
  if (server === undefined || !existsSync(place)) return
  const statements = readFileSync(place, 'utf8')
  for (const database of COPIED) {
    const url = new URL(server)
    url.pathname = `/${database}`
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    try {
      await client.query(statements)
    } catch (error) {
      throw new Error(`${NOT_STORED}: ${(error as Error).message}`, { cause: error })
    } finally {
      await client.end()
    }
  }
}
