/** Money is a whole number of fen (1/100 yuan), never a float. */

declare const isFen: unique symbol
/** Whole fen; 1 yuan is 100n. */
export type Fen = bigint & { readonly [isFen]: true }

/** 0.01 to 999999.99 yuan: the amount of one order (spec/protocol.md 3.2). */
export const AMOUNT_FEN_MIN = 1n
export const AMOUNT_FEN_MAX = 99_999_999n

const YUAN = /^(0|[1-9][0-9]{0,5})\.([0-9]{2})$/

/**
 * Reads the only form that the protocol allows: yuan with exactly two decimals, `"0.01"` to `"999999.99"`.
 * Null for everything else, `"12.5"`, `"1e2"`, `"+1.00"`, `"012.50"` and full-width digits included.
 */
export function parseYuan(text: string): Fen | null {
  const found = YUAN.exec(text)
  if (found === null) return null
  const amount = BigInt(found[1] as string) * 100n + BigInt(found[2] as string)
  return amount < AMOUNT_FEN_MIN ? null : (amount as Fen)
}

/** `1250n` → `"12.50"`. Also for sums, which may be large or negative. */
export function formatYuan(amount: bigint): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(3, '0')
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** Brands an amount from the database or a channel. Throws when no order can have this amount. */
export function fen(amount: bigint): Fen {
  if (amount < AMOUNT_FEN_MIN || amount > AMOUNT_FEN_MAX) throw new RangeError(`${amount} fen is not an order's amount`)
  return amount as Fen
}
