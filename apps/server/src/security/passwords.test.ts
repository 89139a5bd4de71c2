import '../../../../test/support/slow.ts'
import { scryptSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { hashing } from './hashing.ts'
import { hashPassword, isPassword } from './passwords.ts'

it('a password is stored as scrypt of 32 MiB in three passes, with a salt of 16 bytes and a hash of 32', async () => {
  const [name, N, r, p, salt = '', hash = ''] = (await hashPassword(hashing(), 'correct horse battery')).split(':')
  expect([name, N, r, p]).toEqual(['scrypt', '32768', '8', '3'])
  const [saltBytes, hashBytes] = [Buffer.from(salt, 'base64'), Buffer.from(hash, 'base64')]
  expect([saltBytes.length, hashBytes.length]).toEqual([16, 32])
  const cost = { N: 32_768, r: 8, p: 3, maxmem: 2 ** 26 }
  expect(scryptSync('correct horse battery', saltBytes, 32, cost).equals(hashBytes)).toBe(true)
})

it('a hash that a gateway with a lower cost stored is still the password, and a character typed in two ways is the same', async () => {
  const salt = Buffer.alloc(16, 7)
  const stored = scryptSync('caf\u00e9 caf\u00e9 caf\u00e9', salt, 32, { N: 1024, r: 8, p: 1 })
  const hash = `scrypt:1024:8:1:${salt.toString('base64')}:${stored.toString('base64')}`
  const { takePlace } = hashing()
  expect(await isPassword(takePlace(), 'cafe\u0301 cafe\u0301 cafe\u0301', hash)).toBe(true)
  expect(await isPassword(takePlace(), 'cafe cafe cafe', hash)).toBe(false)
})
