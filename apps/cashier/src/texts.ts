/** Which language, remembered on this device; every text comes from one file per language. */
import { en } from './texts.en.ts'
import { zh } from './texts.zh.ts'

export type Texts = { [Name in keyof typeof zh]: (typeof zh)[Name] extends string ? string : (typeof zh)[Name] }
export type Language = 'zh' | 'en'

const ALL: Record<Language, Texts> = { zh, en }
const KEY = 'acopay-language'

function language(): Language {
  try {
    const kept = localStorage.getItem(KEY)
    if (kept === 'zh' || kept === 'en') return kept
  } catch {
    // A frame may not be allowed to keep anything.
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
    // Then it holds as long as the page.
  }
}

export const isChinese = (): boolean => chosen === 'zh'
