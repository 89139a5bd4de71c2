/** Random numbers by seed: the same words give the same numbers. */

export type Dice = {
  /** 0 ≤ x < 1. */
  next: () => number
  /** A whole number, both ends included. */
  between: (min: number, max: number) => number
  chance: (probability: number) => boolean
  pick: <const Item>(items: readonly [Item, ...Item[]]) => Item
}

/** Dice for one purpose: `diceOf(seed, 'plan', 17)`. */
export function diceOf(...words: (string | number)[]): Dice {
  let state = hashOf(words.join('/'))
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (items) => items[between(0, items.length - 1)] ?? items[0],
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
