/** Counts and hashes a table's rows on their way. */
import { createHash } from 'node:crypto'
import type { TableEnd } from './format.ts'

export type Tally = { add: (bytes: Buffer) => void; end: (table: string) => TableEnd }

export function tally(): Tally {
  const hash = createHash('sha256')
  let [rows, bytes] = [0, 0]
  return {
    add(chunk) {
      hash.update(chunk)
      bytes += chunk.length
      // A line break inside a value is written as two characters, so each one ends a row.
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows += 1
    },
    end: (table) => ({ table, rows, bytes, sha256: hash.digest('hex') }),
  }
}
