/** The language to begin with: the one that the device kept, else the browser's own, else Chinese. */
export type Language = 'zh' | 'en'

export function languageOf(kept: string | null, browsers: string | undefined): Language {
  if (kept === 'zh' || kept === 'en') return kept
  return !browsers || /^zh\b/i.test(browsers) ? 'zh' : 'en'
}
