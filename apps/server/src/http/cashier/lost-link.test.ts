/** What the page for a broken link says is wrong with it. */
import { expect, it } from 'vitest'
import { lostLink } from './lost-link.ts'

const NUMBER = `AP${'20260301120000'.padEnd(36, '7')}`
const PROOF = 'abc-_'.padEnd(43, 'Z')
const LINK = `/cashier/MCH-1/${NUMBER}/${PROOF}`
const PARTS = { mchNo: 'MCH-1', transactionNo: NUMBER, proof: PROOF }
const wide = (text: string): string => text.replace(/[!-~]/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0))

it.each([
  ['a link with a wrong proof', LINK, 'wrong'],
  ['the same with a query', `${LINK}?from=singlemessage&amp;isappinstalled=0`, 'wrong'],
  ['a call below a link', `${LINK}/payer/wechat/back`, 'wrong'],
  ['a receipt', `${LINK}/receipt`, 'wrong'],
  ['no link at all', '/cashier/other', 'short'],
  ['a path of others', '/cashier/a/b/c/d', 'wrong'],
  ['a page', '/cashier/index.html', 'wrong'],
  ['nothing', '/cashier/', 'short'],
  ['a merchant alone', '/cashier/MCH-1/', 'short'],
  ['a number that is cut off', `/cashier/MCH-1/${NUMBER.slice(0, 20)}`, 'short'],
  ['a number without a proof', `/cashier/MCH-1/${NUMBER}`, 'short'],
  ['a number and a slash', `/cashier/MCH-1/${NUMBER}/`, 'short'],
  ['a proof that is cut off', LINK.slice(0, -1), 'short'],
])('%s: nothing can be mended', (_what, url, why) => {
  expect(lostLink(url)).toEqual({ why, parts: null })
})

it.each([
  ['a full stop', `${LINK}.`, 'extra'],
  ['a Chinese full stop', `${LINK}%E3%80%82`, 'extra'],
  ['words', `${LINK}%EF%BC%8C%E8%AF%B7%E4%BB%98%E6%AC%BE`, 'extra'],
  ['an escaped ampersand', `${LINK}&amp;utm=1`, 'extra'],
  ['a quotation mark that was escaped', `${LINK}&quot;`, 'extra'],
  ['a bracket', `${LINK}%3E`, 'extra'],
  ['a percent sign', `${LINK}%`, 'extra'],
  ['more of the same letters', `${LINK}abc`, 'extra'],
  ['a blank in the middle', LINK.replace('/AP', '/%20AP'), 'wide'],
  ['a line end in the middle', `${LINK.slice(0, 60)}%0A${LINK.slice(60)}`, 'wide'],
  ['a character of no width', `${LINK}%E2%80%8B`, 'extra'],
  ['full-width characters', `/cashier/${encodeURIComponent(wide(LINK.slice(9)))}`, 'wide'],
  ['escapes of escapes', LINK.replace('/AP', '%252FAP'), 'wrong'],
])('%s in a link: the link itself is found', (_what, url, why) => {
  expect(lostLink(url)).toEqual({ why, parts: PARTS })
})

it('takes any text, as long as it may be, in no time', () => {
  const startMs = performance.now()
  for (const text of ['%', '/', 'AP', '%25', '\u200b', '/cashier/', 'a'.repeat(99)])
    lostLink(`/cashier/${text.repeat(20_000)}`)
  expect(performance.now() - startMs).toBeLessThan(1000)
})
