/**
 * RSA keys for tests of what is signed. Making a pair takes up to half a second, so a worker makes each pair once, for all of
 * its test files. A test of how keys are made or read makes its own.
 */
import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'

const made = new Map<string, KeyPairKeyObjectResult>()

/**
 * The same name and length is the same pair, in every file of this worker. 512 bits sign thirty times as fast as 2048: enough
 * where the length does not matter.
 */
export const rsaKeys = (whose: string, bits = 2048): KeyPairKeyObjectResult =>
  keptKeys(`${whose} ${bits}`, () => generateKeyPairSync('rsa', { modulusLength: bits }))

/** A key for RSA with another padding, which is another type of key. */
export const rsaPssKeys = (): KeyPairKeyObjectResult =>
  keptKeys('pss', () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }))

function keptKeys(name: string, make: () => KeyPairKeyObjectResult): KeyPairKeyObjectResult {
  const pair = made.get(name) ?? make()
  made.set(name, pair)
  return pair
}

/** As the console and the SDK hand keys out: Base64 DER without armour. */
export function derKeys(whose: string, bits = 2048): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = rsaKeys(whose, bits)
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  }
}

export function pemKeys(whose: string, bits = 2048): { privatePem: string; publicPem: string } {
  const { privateKey, publicKey } = rsaKeys(whose, bits)
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  }
}
