import { describe, expect, it } from 'vitest'
import { passkeySiteOf } from './passkey-site.ts'

describe('passkeys', () => {
  it.each([
    ['https://pay.example.com', { rpId: 'pay.example.com', origin: 'https://pay.example.com' }],
    ['https://pay.example.com:8443/gateway', { rpId: 'pay.example.com', origin: 'https://pay.example.com:8443' }],
    ['http://localhost:8080', { rpId: 'localhost', origin: 'http://localhost:8080' }],
    ['http://pay.example.com', null],
    ['https://192.0.2.1', null],
    ['https://[2001:db8::1]', null],
    ['http://127.0.0.1:8080', null],
    ['http://localhost.example.com', null],
  ])('with the public URL %s belong to its host alone, whatever a caller names', (publicUrl, site) => {
    for (const isSandbox of [true, false]) {
      const of = passkeySiteOf({ publicUrl, isSandbox })
      expect([of('localhost:8080'), of('evil.example.com'), of('')]).toEqual([site, site, site])
    }
  })

  it.each([
    ['localhost:8080', { rpId: 'localhost', origin: 'http://localhost:8080' }],
    ['a.localhost', { rpId: 'a.localhost', origin: 'http://a.localhost' }],
    ['127.0.0.1:8080', null],
    ['pay.example.com', null],
    ['localhost@pay.example.com', null],
    ['pay.example.com/localhost', null],
    ['', null],
  ])('of a sandbox without a public URL that is called %s work on this machine only', (host, site) => {
    expect(passkeySiteOf({ publicUrl: null, isSandbox: true })(host)).toEqual(site)
    expect(passkeySiteOf({ publicUrl: null, isSandbox: false })(host)).toBeNull()
  })
})
