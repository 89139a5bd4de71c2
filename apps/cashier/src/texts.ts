/** The page's language, which this device remembers. Each language has one file with all its texts. */
import { en } from './texts.en.ts'
import { type Texts, zh } from './texts.zh.ts'

export type Language = 'zh' | 'en'

const ALL: Record<Language, Texts> = { zh, en }
const KEY = 'acopay-language'

function language(): Language {
  try {
    const kept = localStorage.getItem(KEY)
    if (kept === 'zh' || kept === 'en') return kept
  } catch {
    // Browsers may refuse storage to a page in a frame.
  }
  return /^zh\b/i.test(navigator.language) || !navigator.language ? 'zh' : 'en'
}

let chosen: Language = language()

export const texts = (): Texts => ALL[chosen]

export function switchLanguage(): void {
  chosen = chosen === 'zh' ? 'en' : 'zh'
  try {
    localStorage.setItem(KEY, chosen)
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
}

export const isChinese = (): boolean => chosen === 'zh'
