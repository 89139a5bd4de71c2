/** Passwords of the console: kept as scrypt hashes with their own salt and cost, so that the cost can grow later. */
import { type BinaryLike, randomBytes, randomInt, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

/** 32 MiB and three passes: OWASP's password storage cheat sheet, scrypt. */
const COST = { N: 2 ** 15, r: 8, p: 3 }
const MEMORY_MAX = 64 * 1024 * 1024
const HASH_BYTES = 32

export const PASSWORD_MIN = 12
/** Longer ones would only cost time. */
export const PASSWORD_MAX = 200

const derive = (password: BinaryLike, salt: Buffer, cost: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(password, salt, HASH_BYTES, { ...cost, maxmem: MEMORY_MAX }, (error, key) =>
      error ? reject(error) : resolve(key),
    ),
  )

/** Characters that look alike typed in different ways are the same: NFKC, as NIST SP 800-63B asks. */
const bytesOf = (password: string): string => password.normalize('NFKC')

/** `scrypt:N:r:p:salt:hash`, the last two in Base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive(bytesOf(password), salt, COST)
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), hash.toString('base64')].join(':')
}

/** Whether this is the password. Without a hash the work is done all the same: how long it takes tells nothing. */
export async function isPassword(password: string, hash: string | null): Promise<boolean> {
  const [, N, r, p, salt = '', right = ''] = (hash ?? NOBODY).split(':')
  const said = await derive(bytesOf(password), Buffer.from(salt, 'base64'), {
    N: Number(N),
    r: Number(r),
    p: Number(p),
  })
  return timingSafeEqual(said, Buffer.from(right, 'base64')) && hash !== null
}

const NOBODY = [
  'scrypt',
  COST.N,
  COST.r,
  COST.p,
  'AAAAAAAAAAAAAAAAAAAAAA==',
  Buffer.alloc(HASH_BYTES).toString('base64'),
].join(':')

/** Without characters that are taken for one another; 95 bits. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'

/** A password to be told once and changed at the first sign-in. */
export const newPassword = (): string =>
  Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => LETTERS[randomInt(LETTERS.length)]).join('')).join(
    '-',
  )
