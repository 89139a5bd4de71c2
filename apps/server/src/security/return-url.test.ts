/** Which addresses an app's payers may be sent back to. */
import { expect, it } from 'vitest'
import { returnUrlOf } from './return-url.ts'

const production = (text: string) => returnUrlOf(text, { isSandbox: false })
const sandbox = (text: string) => returnUrlOf(text, { isSandbox: true })

it.each([
  ['https://shop.example.com', 'https://shop.example.com/'],
  ['https://shop.example.com/orders?from=pay#/mine', 'https://shop.example.com/orders?from=pay#/mine'],
  ['HTTPS://SHOP.example.com:8443/a', 'https://shop.example.com:8443/a'],
  // What only looks like another host is stored as what it is.
  ['https://аррӏе.com/', 'https://xn--80ak6aa92e.com/'],
  ['https://shop.example.com/订单', 'https://shop.example.com/%E8%AE%A2%E5%8D%95'],
  ['https:shop.example.com', 'https://shop.example.com/'],
])('%s is taken as %s', (given, stored) => {
  expect(production(given)).toBe(stored)
})

it.each([
  ['no address', 'shop.example.com'],
  ['a path', '/orders'],
  ['an address without a scheme', '//shop.example.com'],
  ['a script', 'javascript:alert(1)'],
  ['data', 'data:text/html,x'],
  ['an app', 'weixin://dl'],
  ['plain HTTP', 'http://shop.example.com/'],
  ['plain HTTP of this machine', 'http://127.0.0.1/'],
  ['a user', 'https://user@shop.example.com/'],
  ['a password', 'https://:p@shop.example.com/'],
  ['a host behind a user that looks like one', 'https://shop.example.com@evil.example/'],
  ['a backslash', 'https:\\\\shop.example.com'],
  ['a blank', 'https://shop.example.com/a b'],
  ['a line end', 'https://shop.example.com/\na'],
  ['a parameter of ours', 'https://shop.example.com/?transaction_no=1'],
  ['another one of ours', 'https://shop.example.com/?a=1&state=paid'],
  ['too long when encoded', `https://shop.example.com/${'订'.repeat(60)}`],
  ['nothing', ''],
])('%s is refused, in both languages', (_what, given) => {
  expect(production(given)).toEqual({ zh: expect.stringMatching(/./), en: expect.stringMatching(/^\w/) })
})

it('in a sandbox this machine may be named with HTTP, and no other', () => {
  for (const host of ['localhost', 'localhost:3000', '127.0.0.1:3000', '127.9.9.9', '[::1]:3000']) {
    expect(sandbox(`http://${host}/`), host).toBe(`http://${host}/`)
  }
  for (const host of ['shop.example.com', '127.0.0.1.example.com', 'localhost.example.com', '10.0.0.1', '[::2]']) {
    expect(sandbox(`http://${host}/`), host).toMatchObject({ en: expect.stringContaining('https://') })
  }
})

it('may have 512 characters when encoded, and not one more', () => {
  const begin = 'https://shop.example.com/'
  const most = begin + 'a'.repeat(512 - begin.length)
  expect(production(most)).toBe(most)
  expect(production(`${most}a`)).toMatchObject({ en: expect.stringContaining('512') })
})
