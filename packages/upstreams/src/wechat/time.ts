const CHINA_MS = 8 * 3_600_000

/** RFC 3339 in +08:00, to the second. */
export const timeText = (ms: number): string => `${new Date(ms + CHINA_MS).toISOString().slice(0, 19)}+08:00`
