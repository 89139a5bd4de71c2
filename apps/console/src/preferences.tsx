/** The user's preferences, which the browser stores: the language, and light or dark colours. */
import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react'
import { labelKeyOf } from './labels.ts'
import { store, stored } from './stored.ts'
import { EN } from './texts.en.ts'
import { ZH } from './texts.zh.ts'

export type Language = 'zh' | 'en'
export type Look = 'light' | 'dark' | 'system'
export type TextKey = keyof typeof ZH

export type Preferences = {
  language: Language
  setLanguage: (language: Language) => void
  look: Look
  setLook: (look: Look) => void
  isDark: boolean
  /** The text in the chosen language. */
  t: (key: TextKey) => string
  /** The word for a state, an event or a code; the code itself where there is no word. */
  word: (code: string) => string
  /** How the pages call a field of the API; null where no page has it. */
  labelOf: (field: string) => string | null
}

const Context = createContext<Preferences | null>(null)

export function usePreferences(): Preferences {
  const found = use(Context)
  if (found === null) throw new Error('outside of PreferencesProvider')
  return found
}

const DARK = window.matchMedia('(prefers-color-scheme: dark)')

export function PreferencesProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(stored('acopay.language') === 'en' ? 'en' : 'zh')
  const [look, setLook] = useState<Look>(() => {
    const kept = stored('acopay.look')
    return kept === 'light' || kept === 'dark' ? kept : 'system'
  })
  const [isSystemDark, setSystemDark] = useState(DARK.matches)
  useEffect(() => {
    const hear = (): void => setSystemDark(DARK.matches)
    DARK.addEventListener('change', hear)
    return () => DARK.removeEventListener('change', hear)
  }, [])
  const isDark = look === 'system' ? isSystemDark : look === 'dark'
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
    document.documentElement.dataset.look = isDark ? 'dark' : 'light'
    store('acopay.language', language)
    store('acopay.look', look)
  }, [language, look, isDark])
  const value = useMemo((): Preferences => {
    const texts: Record<string, string> = language === 'zh' ? ZH : EN
    return {
      language,
      setLanguage,
      look,
      setLook,
      isDark,
      t: (key) => texts[key] ?? key,
      word: (code) => texts[`w_${code}`] ?? code,
      labelOf: (field) => texts[labelKeyOf(field)] ?? null,
    }
  }, [language, look, isDark])
  return <Context value={value}>{children}</Context>
}
