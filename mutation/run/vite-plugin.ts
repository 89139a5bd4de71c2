/** For vitest.config.ts: serves the tests another text of a file when a run of mutants asks for it, else does nothing. */
import type { Plugin } from 'vite'
import { MODE, servedText } from './places.ts'

export const isMutating = process.env[MODE] !== undefined

/** Loaded before each test file while mutants run. */
export const MUTATION_SETUP = isMutating ? ['mutation/run/in-worker.ts'] : []

export function mutationPlugin(): Plugin[] {
  if (!isMutating) return []
  return [
    {
      name: 'mutation',
      enforce: 'pre',
      transform(_code, id) {
        // The global set-up makes the database of all tests: it runs what lies on the disk.
        if (this.environment.name === '__vitest__') return null
        const text = /\.tsx?$/.test(id) ? servedText(id) : null
        return text === null ? null : { code: text, map: null }
      },
    },
  ]
}
