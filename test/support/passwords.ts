/** A password of the console that costs a test nothing: a stored hash names its own cost, and this one names the lowest. */
import { scryptSync } from 'node:crypto'

export const PASSWORD = 'correct horse battery'

const salt = Buffer.alloc(16, 1)
const hash = scryptSync(PASSWORD, salt, 32, { N: 2, r: 1, p: 1 })

export const PASSWORD_HASH = ['scrypt', 2, 1, 1, salt.toString('base64'), hash.toString('base64')].join(':')
