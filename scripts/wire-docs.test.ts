/** docs/wire/ holds what it says: the worked example, the errors of each call, the limits. */
import { spawnSync } from 'node:child_process'
import { createHash, createPrivateKey, sign } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ERRORS, OPERATIONS } from '@acopay/protocol'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../apps/server/src/start/config.ts'
import { canonical, vectors } from '../test/support/scripted-gateway.ts'
import { EXAMPLE_NAME } from './wire-docs.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const WIRE = path.join(ROOT, 'docs/wire')
const read = (name: string): string => readFileSync(path.join(WIRE, name), 'utf8')

/** The text of a code block of the worked example. */
const shown = (page: string, what: string): string =>
  new RegExp(`<!-- code: example ${what} -->\\n\\n\`\`\`\\w+\\n([\\s\\S]*?)\\n\`\`\``).exec(read(page))?.[1] ??
  `no ${what}`

describe.each(['signing.md', 'signing.zh-CN.md'])('the worked example of %s', (page) => {
  const vector = vectors.requests.find(({ name }) => name === EXAMPLE_NAME)
  const headers = Object.fromEntries(
    shown(page, 'headers')
      .split('\n')
      .map((line) => line.split(': ')),
  ) as Record<string, string>
  const sent = JSON.parse(shown(page, 'sent')) as Record<string, string>

  it('has the parameters and headers of a vector', () => {
    const { 'x-acopay-mch-no': mch_no, 'x-acopay-nonce': nonce, 'x-acopay-sign-type': sign_type } = headers
    expect({ ...sent, mch_no, nonce, sign_type }).toEqual(vector?.params)
  })

  it('goes from one text to the next, to the signature that the official SDK made', () => {
    const { aco_pay_sdk, version, ...business } = sent
    expect([aco_pay_sdk, version]).toEqual(['2.0.0', '1.0'])
    expect(JSON.parse(shown(page, 'business'))).toEqual(business)
    const signed = JSON.parse(shown(page, 'signed'))
    const fromHeaders = Object.entries(headers).map(([name, value]) => [name.slice(9).replaceAll('-', '_'), value])
    expect(signed).toEqual({ ...business, ...Object.fromEntries(fromHeaders) })
    const sorted = shown(page, 'sorted')
    expect(Object.keys(JSON.parse(sorted))).toEqual(Object.keys(signed).sort())
    const text = shown(page, 'canonical')
    expect(text).toBe(JSON.stringify(JSON.parse(sorted)))
    expect(text).toBe(canonical(signed))
    const bytes = Buffer.from(text)
    const digest = createHash('sha256').update(bytes).digest('hex')
    expect(shown(page, 'digest')).toBe(`${bytes.length} bytes\nSHA-256 ${digest}`)
    const der = Buffer.from(shown(page, 'private-key'), 'base64')
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    expect(shown(page, 'sign')).toBe(sign('RSA-SHA256', bytes, key).toString('base64'))
    expect(shown(page, 'sign')).toBe(vector?.sign)
  })

  it('can be followed with openssl, as the page says', () => {
    const script = /```sh\n(openssl base64 -d[\s\S]*?)```/.exec(read(page))?.[1] ?? ''
    const dir = mkdtempSync(path.join(tmpdir(), 'acopay-wire-'))
    writeFileSync(path.join(dir, 'text'), shown(page, 'canonical'))
    for (const name of ['private-key', 'public-key']) writeFileSync(path.join(dir, name), shown(page, name))
    const { stdout, stderr } = spawnSync('sh', ['-e', '-c', script], { cwd: dir, encoding: 'utf8' })
    rmSync(dir, { recursive: true })
    expect(`${stdout}${stderr}`).toBe(`${shown(page, 'sign')}Verified OK\n`)
  })

  it('has an answer whose text and signature are those of a vector', () => {
    const body = JSON.parse(shown(page, 'answer-body'))
    const { sign: _sign, ...data } = body.data
    const text = canonical({ ...body, data })
    expect(shown(page, 'answer-canonical')).toBe(text)
    const answer = vectors.responses.find((one) => one.canonical === text)
    expect(shown(page, 'answer-sign')).toBe(answer?.sign)
    expect(shown(page, 'platform-public-key')).toBe(vectors.keys.platformPublicKey)
  })
})

/** The OpenAPI document and the wire pages have them from one table. */
describe('the errors of a call', () => {
  const MERCHANT = path.join(ROOT, 'apps/server/src/http/merchant')
  const endpoints = readdirSync(MERCHANT)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .flatMap((name) =>
      readFileSync(path.join(MERCHANT, name), 'utf8')
        .split(/^export const (?=\w+Endpoint\b)/m)
        .slice(1),
    )
  /** Those that every call has are in the page's list of all errors. */
  const EVERY_CALL = ['PARAM_ERROR', 'SIGN_ERROR']

  /** The names in the endpoint's own code, and in what it calls for them. */
  function namedBy(method: string, where: string): string[] {
    const code = endpoints.find(
      (text) => text.includes(`method: '${method.toUpperCase()}'`) && text.includes(`path: '${where}'`),
    )
    if (code === undefined) return [`no endpoint for ${method} ${where}`]
    const own = [...code.matchAll(/refuse\('([A-Z_]+)'/g)].map(([, name]) => name ?? '')
    const limits = [...readFileSync(path.join(ROOT, 'packages/core/src/refund.ts'), 'utf8').matchAll(/'(REFUND_\w+)'/g)]
    const more = [
      ...(/numberOf\(|absentOrder\(/.test(code) ? ['ORDER_NOT_EXIST', 'ORDER_STATE_ERROR'] : []),
      ...(code.includes('absentRefund(') ? ['REFUND_NOT_EXIST', 'ORDER_STATE_ERROR'] : []),
      ...(code.includes('refundRefused(') ? ['ORDER_NOT_PAID', ...limits.map(([, name]) => name ?? '')] : []),
    ]
    return [...new Set([...own, ...more])].filter((name) => name in ERRORS && !EVERY_CALL.includes(name)).sort()
  }

  it.each(OPERATIONS)('of $name are those of its code', ({ method, path: where, refusals }) => {
    expect([...refusals].sort()).toEqual(namedBy(method, where))
  })
})

describe('the limits', () => {
  it.each(['calls.md', 'calls.zh-CN.md'])('in %s are those of the settings and of the server', (page) => {
    const { ratePerAddress, ratePerMerchant, nonceWindowMs, notifyPorts } = readConfig({}, '/home')
    expect([ratePerAddress, ratePerMerchant, nonceWindowMs / 3_600_000, notifyPorts]).toEqual([5000, 0, 24, [443]])
    expect(read(page)).toContain('5000')
    const server = readFileSync(path.join(ROOT, 'apps/server/src/http/server.ts'), 'utf8')
    expect(server).toContain('BODY_BYTES_MAX = 64 * 1024')
    expect(server).toContain('ANSWER_MS = 9000')
    expect(read(page)).toMatch(/64 KiB/)
  })
})
