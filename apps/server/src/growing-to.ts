/**
 * The options of an LRU cache that holds so many entries at most and grows to them. With `max` alone, room for all of them would be
 * taken at the start: 50 000 entries are a megabyte and 20 ms.
 */
export const growingTo = (entries: number) => ({ maxSize: entries, sizeCalculation: () => 1 })
