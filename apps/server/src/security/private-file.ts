/** Files that only their owner may read, written whole or not at all. */
import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Mode 0600, also of a file that was there. `keep` leaves its text as it is; `replace` swaps it in one step. */
export function writePrivateFile(file: string, text: string, existing: 'keep' | 'replace'): void {
  const part = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(part, text, { mode: 0o600, flag: 'wx' })
  try {
    if (existing === 'replace') renameSync(part, file)
    else linkSync(part, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    hide(file)
  } finally {
    rmSync(part, { force: true })
  }
}

/** A file of somebody else, who lets us read it, stays as its owner wants it. */
function hide(file: string): void {
  try {
    chmodSync(file, 0o600)
  } catch (error) {
    if (!['EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
