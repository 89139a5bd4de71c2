/** The last minutes of an order: when the page says that time runs out, and what it reads aloud. */

export type Urgency = 'calm' | 'soon' | 'last'

const SOON_MS = 5 * 60_000
const LAST_MS = 60_000

export function urgencyOf(remainingMs: number): Urgency {
  if (remainingMs > SOON_MS) return 'calm'
  return remainingMs > LAST_MS ? 'soon' : 'last'
}

/** Remembers what was read aloud: each step once, and never the seconds in between. */
export function announcer(): (remainingMs: number) => Exclude<Urgency, 'calm'> | null {
  let said: Urgency = 'calm'
  return (remainingMs) => {
    const now = remainingMs <= 0 ? said : urgencyOf(remainingMs)
    const isNews = now !== said && now !== 'calm'
    said = now
    return isNews ? now : null
  }
}
