import { expect, it } from 'vitest'
import { masterKeysOf, seal, unseal } from '../../security/vault.ts'
import type { World } from '../../world.ts'
import { payerIn } from './payer-sign-in.ts'

const MASTER = masterKeysOf(Buffer.alloc(32, 1))
const ORDER = { mchNo: 'MCH1', transactionNo: 'AP1' }
const world = {
  secrets: {
    seal: (place, secret) => seal(MASTER, place, secret),
    unseal: (place, sealed) => unseal(MASTER, place, sealed),
  },
} as Pick<World, 'secrets'> as World

/** The token of a payer whose id has this many bytes. A sealed text has 33 bytes more, and Base64 4 characters for 3 bytes. */
const tokenOf = (bytes: number): string =>
  world.secrets.seal('cashier payer/MCH1/AP1/wechat', 'o'.repeat(bytes)).toString('base64url')

it("a payer's token is read up to 1024 characters, and only for its order and channel", () => {
  const [longest, tooLong] = [tokenOf(735), tokenOf(736)]
  expect([longest.length, tooLong.length]).toEqual([1024, 1026])
  expect(payerIn(world, ORDER, 'wechat', longest)).toBe('o'.repeat(735))
  expect(payerIn(world, ORDER, 'wechat', tooLong)).toBeNull()
  // Node's decoder passes over what is behind the last whole byte: only the length refuses this one.
  expect(payerIn(world, ORDER, 'wechat', `${longest}A`)).toBeNull()
  expect(payerIn(world, ORDER, 'alipay', longest)).toBeNull()
  expect(payerIn(world, { ...ORDER, transactionNo: 'AP2' }, 'wechat', longest)).toBeNull()
  for (const wrong of [undefined, null, '', 1, {}, [longest]]) expect(payerIn(world, ORDER, 'wechat', wrong)).toBeNull()
})
