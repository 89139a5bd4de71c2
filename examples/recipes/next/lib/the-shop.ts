import { openShop, type Shop } from './shop'

const kept = globalThis as { acopayShop?: Shop }

/** One for the whole process. Next loads modules more than once, so it is kept outside of them. */
export function theShop(): Shop {
  kept.acopayShop ??= openShop()
  return kept.acopayShop
}
