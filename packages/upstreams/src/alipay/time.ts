/** Times as Alipay writes them: in China, without saying so. */
const CHINA_MS = 8 * 3_600_000

export const timeText = (ms: number): string => new Date(ms + CHINA_MS).toISOString().slice(0, 19).replace('T', ' ')
