/** Files that only their owner may read, written whole or not at all. */
import { randomBytes } from 'node:crypto'
import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Mode 0600. `keep` leaves a file that exists as it is; `replace` swaps it in one step. */
export function writePrivateFile(file: string, text: string, existing: 'keep' | 'replace'): void {
  const part = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(part, text, { mode: 0o600, flag: 'wx' })
  try {
    if (existing === 'replace') renameSync(part, file)
    else linkSync(part, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(part, { force: true })
  }
}
