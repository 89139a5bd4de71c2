/** The page's language, which this device remembers. Each language has one file with all its texts. */
import { type Language, languageOf } from './language.ts'
import { en } from './texts.en.ts'
import { type Texts, zh } from './texts.zh.ts'

const ALL: Record<Language, Texts> = { zh, en }
const KEY = 'acopay-language'

function kept(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    // Browsers may refuse storage to a page in a frame.
    return null
  }
}

let chosen: Language = languageOf(kept(), navigator.language)

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

/** A channel's name for payers. */
export function channelName(channel: string): string {
  const says = texts()
  if (channel === 'wechat') return says.wechat
  return channel === 'alipay' ? says.alipay : says.other(channel)
}
