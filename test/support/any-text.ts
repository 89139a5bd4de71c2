/** Texts at random for fast-check. */
import fc from 'fast-check'

/**
 * Any code point but half a pair: control characters, U+2028 and quotes occur often enough to matter. The unit 'binary' of fast-check
 * is the same, and takes a second to make a list of all of them.
 */
export const anyLetter: fc.Arbitrary<string> = fc
  .oneof(fc.integer({ min: 0, max: 0xff }), fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 0x10ffff }))
  .filter((point) => point < 0xd800 || point > 0xdfff)
  .map((point) => String.fromCodePoint(point))

export const anyText = (bounds: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<string> =>
  fc.string({ ...bounds, unit: anyLetter })
