/** Writes files that only their owner may read. A reader never sees a part of one. */
import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Also an existing file gets mode 0600. `keep` leaves its text as it is; `replace` replaces it in one step. */
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

/** A file of another owner, or on a read-only file system, keeps its mode. */
function hide(file: string): void {
  try {
    chmodSync(file, 0o600)
  } catch (error) {
    if (!['EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
