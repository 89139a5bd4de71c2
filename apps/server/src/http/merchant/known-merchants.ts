/**
 * Merchants and their keys, each read once for many requests. What was read is used for less than `KEPT_MS` from the moment at which its
 * read began: a withdrawn key, a disabled merchant, a shorter list of addresses and another limit hold a second later in every process, and
 * at once in the one where the console changed them. `identify` reads again before it refuses, so what is allowed newly works at once.
 */
import type { Merchant } from '@acopay/store/read'
import { LRUCache } from 'lru-cache'
import { growingTo } from '../../growing-to.ts'

export const KEPT_MS = 1000
export const KEPT_MAX = 10_000

/** `isKept`: read for an earlier request. */
export type Known = { merchant: Merchant | null; isKept: boolean }

export type KnownMerchants = {
  /** As it was less than `KEPT_MS` ago; null where there is none. */
  find: (mchNo: string) => Promise<Known>
  /** As it is now: the read begins after this call. */
  read: (mchNo: string) => Promise<Merchant | null>
  /** This process has changed it. */
  forget: (mchNo: string) => void
}

/** `readMs`: by the steady clock, a moment before the read began. */
export type MerchantRead = { merchant: Merchant | null; readMs: number }

type Parts = { read: (mchNo: string) => Promise<MerchantRead>; steadyMs: () => number }

export function knownMerchants({ read: readNow, steadyMs }: Parts): KnownMerchants {
  // Only merchants that exist are kept, so that made-up numbers push no merchant out.
  const kept = new LRUCache<string, { merchant: Merchant; readMs: number }>(growingTo(KEPT_MAX))
  /** The last read of each that is under way. Each is younger than its `askedMs` says. */
  const underWay = new Map<string, { askedMs: number; merchant: Promise<Merchant | null> }>()

  const isFresh = (sinceMs: number): boolean => steadyMs() - sinceMs < KEPT_MS

  function read(mchNo: string): Promise<Merchant | null> {
    const askedMs = steadyMs()
    const merchant = readNow(mchNo)
      .then((found) => {
        // A read that was forgotten, or that a later one has overtaken, is for those who wait for it, and is not kept.
        if (underWay.get(mchNo) === one) keep(mchNo, found)
        return found.merchant
      })
      .finally(() => {
        if (underWay.get(mchNo) === one) underWay.delete(mchNo)
      })
    const one = { askedMs, merchant }
    underWay.set(mchNo, one)
    return merchant
  }

  function keep(mchNo: string, { merchant, readMs }: MerchantRead): void {
    if (merchant === null) kept.delete(mchNo)
    else kept.set(mchNo, { merchant, readMs })
  }

  return {
    async find(mchNo) {
      const known = kept.get(mchNo)
      if (known !== undefined && isFresh(known.readMs)) return { merchant: known.merchant, isKept: true }
      const reading = underWay.get(mchNo)
      if (reading !== undefined && isFresh(reading.askedMs)) return { merchant: await reading.merchant, isKept: true }
      return { merchant: await read(mchNo), isKept: false }
    },
    read,
    forget(mchNo) {
      kept.delete(mchNo)
      underWay.delete(mchNo)
    },
  }
}
