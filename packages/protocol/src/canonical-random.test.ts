/** Searches at random: what holds of every object. `npm run mutants:pure` leaves this file out, each mistake would pay for it. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText } from '../../../test/support/any-text.ts'
import { rsaKeys } from '../../../test/support/keys.ts'
import { SIZE } from '../../../test/support/size.ts'
import { canonicalJson, type JsonObject, type JsonValue, requestText } from './canonical.ts'
import { signText, verifyText } from './sign.ts'

const HEADERS = { mchNo: 'MCH1000000', nonce: 'n1', signType: 'SHA256withRSA' }
const { publicKey, privateKey } = rsaKeys('ours')

const text = fc.oneof(anyText({ maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 12 }))
const { object } = fc.letrec<{ object: JsonObject; value: JsonValue }>((tie) => ({
  object: fc.dictionary(text, tie('value'), { maxKeys: 5, depthIdentifier: 'json' }),
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'json' },
    text,
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'json' }),
    tie('object'),
  ),
}))

/** The same members in another order, at every depth. */
function shuffled(value: JsonValue, salt: number): JsonValue {
  if (Array.isArray(value)) return value.map((member) => shuffled(member, salt))
  if (value === null || typeof value !== 'object') return value
  const ranked = Object.entries(value).map(([name, member]) => {
    const rank = createHash('sha256').update(`${salt}${name}`).digest('hex')
    return { rank, entry: [name, shuffled(member, salt)] as const }
  })
  return Object.fromEntries(ranked.sort((one, other) => (one.rank < other.rank ? -1 : 1)).map(({ entry }) => entry))
}

type Change = (text: string) => string

/**
 * Applies `change` to the text of the leaf, or the name of the member, with the number `at.left`, which it counts down.
 */
function changed(value: JsonValue, at: { left: number }, what: 'values' | 'names', change: Change): JsonValue {
  if (Array.isArray(value)) return value.map((member) => changed(member, at, what, change))
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        // A member that is null is not signed, and so its name is not either.
        const isHit = what === 'names' && member !== null && at.left-- === 0
        return [isHit ? change(name) : name, changed(member, at, what, change)]
      }),
    )
  }
  if (typeof value !== 'string' || what !== 'values' || at.left-- !== 0) return value
  return change(value)
}

/** Replaces one character (a code point) by another one. */
const withOneOther =
  (index: number, other: string): Change =>
  (before) => {
    const characters = [...before]
    if (characters.length === 0) return other
    characters[index % characters.length] = other
    return characters.join('')
  }

/** How many leaves with a text, or signed names, there are to change. */
function countOf(value: JsonValue, what: 'values' | 'names'): number {
  const at = { left: -1 }
  changed(value, at, what, (before) => before)
  return -1 - at.left
}

describe('over random objects', () => {
  it('the order of the members changes nothing, at any depth', () => {
    fc.assert(
      fc.property(object, fc.nat(), (body, salt) => {
        expect(canonicalJson(shuffled(body, salt))).toBe(canonicalJson(body))
      }),
      { numRuns: SIZE.randomObjects },
    )
  })

  it('the text is JSON that says the same, so writing and reading it changes nothing', () => {
    fc.assert(
      fc.property(object, (body) => {
        const once = canonicalJson(body)
        expect(canonicalJson(JSON.parse(once))).toBe(once)
        expect(canonicalJson(JSON.parse(JSON.stringify(body)))).toBe(once)
      }),
      { numRuns: SIZE.randomObjects },
    )
  })

  it.each(['values', 'names'] as const)('another character in one of the %s breaks the signature', async (what) => {
    const place = fc.record({ leaf: fc.nat(), index: fc.nat(20), other: anyText({ minLength: 1 }) })
    await fc.assert(
      fc.asyncProperty(object, fc.array(place, { minLength: 1, maxLength: 8 }), async (body, places) => {
        const count = countOf(body, what)
        fc.pre(count > 0)
        const before = canonicalJson(body)
        const signature = await signText(before, privateKey)
        expect(verifyText(before, signature, publicKey)).toBe(true)
        for (const { leaf, index, other } of places) {
          const change = withOneOther(index, [...other][0] ?? 'x')
          const after = changed(body, { left: leaf % count }, what, change)
          if (JSON.stringify(after) === JSON.stringify(body)) continue
          expect(verifyText(canonicalJson(after), signature, publicKey)).toBe(false)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('a request signature survives being sent: the receiver parses the body and finds the same text', async () => {
    await fc.assert(
      fc.asyncProperty(object, async (params) => {
        const signature = await signText(requestText(params, HEADERS), privateKey)
        const received = JSON.parse(JSON.stringify(params)) as JsonObject
        expect(verifyText(requestText(received, HEADERS), signature, publicKey)).toBe(true)
        expect(verifyText(requestText(received, { ...HEADERS, nonce: 'n2' }), signature, publicKey)).toBe(false)
      }),
      { numRuns: 50 },
    )
  })
})
