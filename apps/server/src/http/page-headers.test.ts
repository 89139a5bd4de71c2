/** What a page of ours may load and who may show it: every word of the policy. */
import { expect, it } from 'vitest'
import { NO_SNIFFING, pageHeaders } from './page-headers.ts'

const SAME = {
  'x-content-type-options': 'nosniff',
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'x-robots-tag': 'noindex',
}

it('a page loads scripts of this server, the styles and pictures that it names, and nothing else', () => {
  expect(pageHeaders({ style: "'self'", img: "'self' data:", frameAncestors: "'none'" })).toEqual({
    ...SAME,
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  })
  expect(NO_SNIFFING).toEqual({ 'x-content-type-options': 'nosniff' })
})

it('a page that names fonts may load them too', () => {
  expect(pageHeaders({ style: 's', img: 'i', font: 'f', frameAncestors: 'https://shop.example' })).toEqual({
    ...SAME,
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src s; img-src i; font-src f; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors https://shop.example",
  })
})
