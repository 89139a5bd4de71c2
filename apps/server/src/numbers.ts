/** Numbers the platform gives out (spec/protocol.md, section 1): a prefix, the time in UTC+8, 19 random digits. */

const CHINA_MS = 8 * 3600 * 1000

/** `AP` for an order, `AR` for a refund, `AT` for an attempt, `AL` for a line of the audit log; 38 characters, not guessable from a neighbour. */
export const platformNumber = (prefix: 'AP' | 'AR' | 'AT' | 'AL', now: Date, digits: string): string =>
  prefix + new Date(now.getTime() + CHINA_MS).toISOString().replace(/\D/g, '').slice(0, 17) + digits
