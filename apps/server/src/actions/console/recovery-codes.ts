/** Codes that take the place of a second factor that was lost, each once. */
import { createHash, randomBytes } from 'node:crypto'

const RECOVERY_CODES = 10
/** Five bits to a letter, without those that are taken for another: 0 and O, 1 and I. */
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** New codes, and what the database keeps of them: they are long enough that a plain hash cannot be turned round. */
export function newRecoveryCodes(): { codes: string[]; hashes: Buffer[] } {
  const codes = Array.from({ length: RECOVERY_CODES }, () => {
    const letters = [...randomBytes(12)].map((byte) => LETTERS[byte % LETTERS.length])
    return `${letters.slice(0, 6).join('')}-${letters.slice(6).join('')}`
  })
  return { codes, hashes: codes.map(recoveryHash) }
}

export const recoveryHash = (code: string): Buffer =>
  createHash('sha256')
    .update(code.toUpperCase().replace(/[^A-Z2-9]/g, ''), 'utf8')
    .digest()
