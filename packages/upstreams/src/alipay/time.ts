const CHINA_MS = 8 * 3_600_000

/** `yyyy-MM-dd HH:mm:ss` in UTC+8. */
export const timeText = (ms: number): string => new Date(ms + CHINA_MS).toISOString().slice(0, 19).replace('T', ' ')

/** NaN when the text is not a time. */
export const readTime = (text: unknown): number => Date.parse(`${String(text).replace(' ', 'T')}+08:00`)
