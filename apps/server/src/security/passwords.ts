/**
 * Passwords of the console, stored as scrypt hashes. Each hash holds its salt and cost, so that the cost can be raised
 * later.
 */
import { randomBytes, randomInt, type ScryptOptions, timingSafeEqual } from 'node:crypto'
import type { Hashing, HashingPlace } from './hashing.ts'

/** 32 MiB and three passes: OWASP's password storage cheat sheet, scrypt. */
const COST = { N: 2 ** 15, r: 8, p: 3 }
const MEMORY_MAX = 64 * 1024 * 1024
const HASH_BYTES = 32

export const PASSWORD_MIN = 12
/** A longer password is no safer and takes more time to normalise. */
export const PASSWORD_MAX = 200

/** Leaves the place. */
const derive = (place: HashingPlace, password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> =>
  place
    .derive({ password, salt, bytes: HASH_BYTES, cost: { ...cost, maxmem: MEMORY_MAX } })
    .finally(() => place.leave())

/** NFKC, as NIST SP 800-63B requires, so that a character that is typed in different ways has the same bytes. */
const bytesOf = (password: string): string => password.normalize('NFKC')

/** `scrypt:N:r:p:salt:hash`, the last two in Base64. */
export async function hashPassword({ takePlace }: Hashing, password: string): Promise<string> {
  const salt = randomBytes(16)
  // Only users who are signed in, who hold an invitation, and commands make new passwords.
  const place = takePlace({ isKnown: true })
  const hash = await derive(place, bytesOf(password), salt, COST)
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), hash.toString('base64')].join(':')
}

/**
 * Whether this is the password. Without a hash it takes as long as with one, so that the time does not reveal which names
 * exist. It takes the caller's place in the queue of hashes, and leaves it.
 */
export async function isPassword(place: HashingPlace, password: string, hash: string | null): Promise<boolean> {
  const [, N, r, p, salt = '', right = ''] = (hash ?? NO_HASH).split(':')
  const given = await derive(place, bytesOf(password), Buffer.from(salt, 'base64'), {
    N: Number(N),
    r: Number(r),
    p: Number(p),
  })
  const isRight = timingSafeEqual(given, Buffer.from(right, 'base64')) && hash !== null
  if (isRight) place.wasRight()
  return isRight
}

/** Has the cost of a real hash. */
const NO_HASH = [
  'scrypt',
  COST.N,
  COST.r,
  COST.p,
  'AAAAAAAAAAAAAAAAAAAAAA==',
  Buffer.alloc(HASH_BYTES).toString('base64'),
].join(':')

/** Without characters that look alike; 20 of them have 99 bits. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'

const ONE_TIME_MS = 72 * 3_600_000

/** When a one-time password ends that is made now. */
export const oneTimeEnd = (now: Date): Date => new Date(now.getTime() + ONE_TIME_MS)

/** A random password. As a one-time password, the user must change it at the first sign-in. */
export const newPassword = (): string =>
  Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => LETTERS[randomInt(LETTERS.length)]).join('')).join(
    '-',
  )
