/** Random numbers by seed: the same seed and the same name give the same numbers, whatever other streams draw. */

export type Random = {
  /** 0 ≤ x < 1. */
  next: () => number
  /** A whole number, both ends included. */
  between: (from: number, to: number) => number
  isOneIn: (probability: number) => boolean
  pick: <Item>(items: readonly Item[]) => Item
}

export function random(seed: number, name: string): Random {
  let state = hashOf(`${seed}/${name}`)
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    isOneIn: (probability) => next() < probability,
    pick: (items) => items[Math.floor(next() * items.length)] as (typeof items)[number],
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  }
  return hash
}
