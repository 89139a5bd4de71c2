/**
 * Links to bills. They work without the merchant's signature, so they hold a proof that cannot be guessed and expire after
 * half an hour.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export type BillFile = { mchNo: string; day: string }

const VALID_MS = 30 * 60_000

export type BillLinks = {
  /** Path of the file, valid from `nowMs` for 30 minutes. */
  pathOf: (file: BillFile, nowMs: number) => string
  /** Checks the expiry and the proof of a link. */
  check: (file: BillFile, link: { expires: string; proof: string }, nowMs: number) => 'valid' | 'expired' | 'wrong'
}

export function billLinks(key: Buffer): BillLinks {
  const proofOf = ({ mchNo, day }: BillFile, expires: string): string =>
    createHmac('sha256', key).update([mchNo, day, expires].join('/')).digest('base64url')
  return {
    pathOf(file, nowMs) {
      const expires = String(nowMs + VALID_MS)
      return `/bills/${file.mchNo}/${file.day}/${expires}/${proofOf(file, expires)}.csv`
    },
    check(file, { expires, proof }, nowMs) {
      const [given, right] = [Buffer.from(proof), Buffer.from(proofOf(file, expires))]
      if (given.length !== right.length || !timingSafeEqual(given, right)) return 'wrong'
      return nowMs < Number(expires) ? 'valid' : 'expired'
    },
  }
}
