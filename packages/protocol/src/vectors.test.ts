import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type Envelope,
  type JsonObject,
  notificationText,
  orderParamsText,
  privateKeyFrom,
  publicKeyFrom,
  requestText,
  responseText,
  signText,
  verifyText,
} from './index.ts'

type Vector<Body> = { name: string; canonical: string; sign: string } & Body
const vectors = JSON.parse(readFileSync(new URL('../vectors/signature.json', import.meta.url), 'utf8')) as {
  keys: Record<'merchantPrivateKey' | 'merchantPublicKey' | 'platformPrivateKey' | 'platformPublicKey', string>
  requests: Vector<{ params: JsonObject }>[]
  responses: Vector<{ body: JsonObject }>[]
}

describe('requests of the official Java SDK', () => {
  it.each(vectors.requests)(
    '$name: same text, same signature, both directions',
    async ({ params, canonical, sign }) => {
      const { mch_no, nonce, sign_type, ...business } = params
      const text = requestText(business, { mchNo: String(mch_no), nonce: String(nonce), signType: String(sign_type) })
      expect(text).toBe(canonical)
      // Parameters from a page have the same three members in the body; the signed text is the same.
      if (!Object.values(params).includes(null)) expect(orderParamsText({ ...params, sign })).toBe(canonical)
      expect(await signText(text, privateKeyFrom(vectors.keys.merchantPrivateKey))).toBe(sign)
      expect(verifyText(text, sign, publicKeyFrom(vectors.keys.merchantPublicKey))).toBe(true)
    },
  )
})

describe('answers and notifications of the platform', () => {
  it.each(vectors.responses)('$name: same text, same signature, both directions', async ({ body, canonical, sign }) => {
    const text = 'status' in body ? responseText(body as unknown as Envelope) : notificationText({ ...body, sign })
    expect(text).toBe(canonical)
    expect(await signText(text, privateKeyFrom(vectors.keys.platformPrivateKey))).toBe(sign)
    expect(verifyText(text, sign, publicKeyFrom(vectors.keys.platformPublicKey))).toBe(true)
  })
})
