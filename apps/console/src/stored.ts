/** What the browser keeps for a user: texts by key. Without storage, nothing is kept. */
export const stored = (key: string): string | null => {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

export const store = (key: string, value: string): void => {
  try {
    localStorage.setItem(key, value)
  } catch {
    // What is chosen then lasts until the page is closed.
  }
}

/** A list of things that was stored as JSON; empty where there is none. */
export function storedList<Item>(key: string, isItem: (item: unknown) => item is Item): Item[] {
  try {
    const list: unknown = JSON.parse(stored(key) ?? '[]')
    return Array.isArray(list) ? list.filter(isItem) : []
  } catch {
    return []
  }
}
