/** The scripts of the Postman collection, run as Postman runs them: in a context of their own, with a `pm` and CryptoJS. */
import '../../test/support/slow.ts'
import { createHash } from 'node:crypto'
import vm from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  type Envelope,
  type JsonObject,
  OPERATIONS,
  publicKeyFrom,
  requestText,
  verifyText,
} from '../../packages/protocol/src/index.ts'
import vectors from '../../packages/protocol/vectors/signature.json' with { type: 'json' }
import { postmanCollection, scriptOf } from './collection.ts'

const { keys, requests, responses } = vectors

/** As much of CryptoJS as Postman's own documentation names: a digest whose text is hexadecimal. */
const require = (name: string) => {
  if (name !== 'crypto-js') throw new Error(`${name} is not in the sandbox`)
  return { SHA256: (text: string) => ({ toString: () => createHash('sha256').update(text).digest('hex') }) }
}

type Asked = {
  method: string
  raw?: string
  query?: { key: string; value: string; disabled?: boolean }[]
  url?: string
}

/** A `pm` with these variables. */
function sandbox(
  variables: Record<string, string>,
  { method, raw, query = [], url = '/pay/' }: Asked,
  answer?: object,
) {
  const sent: Record<string, string> = {}
  const tests: { name: string; error: unknown }[] = []
  const set = (name: string, value: string): void => {
    variables[name] = value
  }
  const pm = {
    variables: {
      set,
      replaceIn: (text: string) => text.replace(/\{\{(\w+)\}\}/g, (whole, name) => variables[name] ?? whole),
    },
    collectionVariables: { set },
    request: {
      method,
      body: { raw },
      url: { query: { all: () => query }, toString: () => url },
      headers: {
        upsert: ({ key, value }: { key: string; value: string }) => {
          sent[key] = value
        },
      },
    },
    response: { json: () => answer },
    test: (name: string, check: () => void) => {
      try {
        check()
        tests.push({ name, error: null })
      } catch (error) {
        tests.push({ name, error })
      }
    },
  }
  return { pm, sent, tests, context: vm.createContext({ pm, require, console: { log: () => {} } }) }
}

const MERCHANT = { mch_no: 'MCH1000000', mch_private_key: keys.merchantPrivateKey }

/** The headers that the script before a request sets. */
function headersFor(asked: Asked, variables: Record<string, string> = {}): Record<string, string> {
  const { sent, context } = sandbox({ ...MERCHANT, ...variables }, asked)
  vm.runInContext(scriptOf('before'), context)
  return sent
}

const isSigned = (params: JsonObject, headers: Record<string, string>): boolean => {
  const parts = {
    mchNo: headers['x-acopay-mch-no'] ?? '',
    nonce: headers['x-acopay-nonce'] ?? '',
    signType: headers['x-acopay-sign-type'] ?? '',
  }
  return verifyText(requestText(params, parts), headers['x-acopay-sign'] ?? '', publicKeyFrom(keys.merchantPublicKey))
}

describe('the code that signs', () => {
  const run = (expression: string, values: object): unknown => {
    const { context } = sandbox({}, { method: 'GET' })
    Object.assign(context, values)
    return vm.runInContext(`${scriptOf('before').split('/** Before each request')[0]}\n;${expression}`, context)
  }

  it.each(requests)('$name: the text and the signature of the official Java SDK', ({ params, canonical, sign }) => {
    const { mch_no, nonce, sign_type, ...business } = params as Record<string, string>
    const headers = { mch_no, nonce, sign_type }
    expect(run('requestText(params, headers)', { params: business, headers })).toBe(canonical)
    expect(run('sign(text, key)', { text: canonical, key: keys.merchantPrivateKey })).toBe(sign)
    expect(run('verify(text, signature, key)', { text: canonical, signature: sign, key: keys.merchantPublicKey })).toBe(
      true,
    )
    expect(
      run('verify(text, signature, key)', { text: `${canonical} `, signature: sign, key: keys.merchantPublicKey }),
    ).toBe(false)
  })

  it('reads keys in the armour of PEM too', () => {
    const { canonical, sign } = requests[0] as (typeof requests)[number]
    const pem = `-----BEGIN PRIVATE KEY-----\n${keys.merchantPrivateKey.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
    expect(run('sign(text, key)', { text: canonical, key: pem })).toBe(sign)
  })
})

describe('before a request', () => {
  it('the body is signed with the variables of the collection in it, and each request has a new number and nonce', () => {
    const raw =
      '{"app_no": "{{app_no}}", "mch_trade_no": "{{new_number}}", "description": "茶 \\"明前\\" \\u2028", "extra": ""}'
    const variables: Record<string, string> = { ...MERCHANT, app_no: 'APP1' }
    const nonces = [0, 1].map(() => {
      const { sent, context } = sandbox(variables, { method: 'POST', raw })
      vm.runInContext(scriptOf('before'), context)
      const { new_number } = variables
      expect(new_number).toMatch(/^pm[0-9a-f]{30}$/)
      const params = { app_no: 'APP1', mch_trade_no: new_number ?? '', description: '茶 "明前" \u2028', extra: '' }
      expect(isSigned(params, sent)).toBe(true)
      return sent['x-acopay-nonce']
    })
    expect(new Set(nonces).size).toBe(2)
  })

  it('the query is signed as the gateway reads it, without parameters that are switched off', () => {
    const query = [
      { key: 'mch_trade_no', value: '{{number}}' },
      { key: 'extra', value: 'a+b%20%E8%8C%B6 100%' },
      { key: 'state', value: 'a%20b+c' },
      { key: 'before', value: 'x', disabled: true },
    ]
    const headers = headersFor({ method: 'GET', query }, { number: 'm1' })
    expect(isSigned({ mch_trade_no: 'm1', extra: 'a b%20%E8%8C%B6 100%', state: 'a b c' }, headers)).toBe(true)
  })

  it("calls of the payer's page are not signed", () => {
    expect(headersFor({ method: 'GET', url: '{{base_url}}/cashier/MCH1/AP1/proof/state' })).toEqual({})
  })
})

describe('after an answer', () => {
  const signed = responses.find(({ body }) => 'status' in body) as { body: Envelope; sign: string }
  const data = { ...signed.body.data, sign: signed.sign } as Record<string, string>
  const answer = { ...signed.body, data }
  const judged = (given: object) => {
    const variables: Record<string, string> = { platform_public_key: keys.platformPublicKey }
    const { tests, context } = sandbox(variables, { method: 'GET' }, given)
    vm.runInContext(scriptOf('after'), context)
    return { tests, variables }
  }

  it('the signature of the platform is verified, and the numbers are kept', () => {
    const { tests, variables } = judged(answer)
    expect(tests).toEqual([{ name: '应答由平台签名 the platform signed the answer', error: null }])
    expect(variables).toMatchObject({ transaction_no: data.transaction_no })
  })

  it('an answer that was changed fails, and one without a signature is not tested', () => {
    expect(judged({ ...answer, message: 'OTHER' }).tests[0]?.error).not.toBeNull()
    expect(judged({ status: 1002, message: 'SIGN_ERROR', fieldErrors: 'x', data: null }).tests).toEqual([])
  })
})

describe('the collection', () => {
  const { item, variable } = postmanCollection()

  it('has every call, with parameters that the gateway knows', () => {
    expect(item).toHaveLength(OPERATIONS.length)
    for (const { request } of item) {
      const url = request.url.raw.split('?')[0] ?? ''
      const operation = OPERATIONS.find(
        (one) => one.method.toUpperCase() === request.method && url === `{{base_url}}/pay/v1/transactions/${one.path}`,
      )
      expect([url, operation?.method]).toEqual([url, request.method.toLowerCase()])
    }
  })

  it('fills each variable that its requests name, and holds no key', () => {
    const known = [...variable.map(({ key }) => key), 'new_number']
    const named = [...JSON.stringify(item).matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name)
    expect(named.filter((name) => !known.includes(name ?? ''))).toEqual([])
    expect(variable.filter(({ key }) => key.endsWith('_key')).map(({ value }) => value)).toEqual(['', ''])
  })
})
