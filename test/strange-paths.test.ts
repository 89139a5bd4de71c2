/** What a server says to paths that are none, and to bodies that are none: of each part of it in its own words. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
beforeAll(async () => {
  gateway = await testWorld()
})
afterAll(() => gateway.stop())

const ask = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(gateway.demo.baseUrl + path, init)
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
}

it('a path that is none is told so, in the words of the part that it lies in', async () => {
  expect(await ask('/nothing/here')).toMatchObject({ status: 404, type: expect.stringContaining('text/plain') })
  expect(await ask('/console/api/nothing')).toMatchObject({ status: 404, type: expect.stringContaining('json') })
  const merchant = await ask('/pay/v1/transactions/nothing')
  expect([merchant.status, merchant.text]).toEqual([404, expect.stringContaining('没有这个地址 (no such')])
})

it('a body that is no JSON is the caller’s mistake and not the server’s', async () => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }
  expect((await ask('/console/api/session', init)).status).toBe(400)
  const call = await ask('/pay/v1/transactions/close', init)
  expect(JSON.parse(call.text).status).toBe(1002)
})

it('news for a merchant number that cannot be one is for nobody', async () => {
  const known = await ask(`/notify/wechat/${gateway.demo.mchNo}`, { method: 'POST', body: '{}' })
  for (const wrong of ['M!', '!M', '\0M', 'M\0', `${'M'.repeat(33)}`]) {
    const answer = await ask(`/notify/wechat/${encodeURIComponent(wrong)}`, { method: 'POST', body: '{}' })
    expect([answer.status, answer.text], wrong).toEqual([404, expect.any(String)])
  }
  expect(known.status).not.toBe(404)
})
