/** One call of the console's API: what it sends, and what it makes of each answer. The browser's parts are the test's own. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'

type Sent = { url: string; init: RequestInit }
let sent: Sent[]
let answer: () => Promise<Response>
const touch = new Map<string, { act: () => void; options: unknown }>()
let api: typeof import('./api.ts')

beforeAll(async () => {
  vi.stubGlobal('addEventListener', (name: string, act: () => void, options: unknown) =>
    touch.set(name, { act, options }),
  )
  api = await import('./api.ts')
})
beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-03-01T04:00:00Z'), toFake: ['Date'] })
  for (const { act } of touch.values()) act()
  sent = []
  answer = async () => Response.json({ rows: [] })
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    sent.push({ url, init })
    return answer()
  })
  api.queries.clear()
})
afterEach(() => {
  vi.useRealTimers()
})
afterAll(() => {
  vi.unstubAllGlobals()
})

const WHO = { username: 'a', role: 'operator', csrf: 'token', permissions: [] } as never
const signedIn = (): void => void api.queries.setQueryData(api.session.queryKey, WHO)
const refused = (status: number, error: string) => async () =>
  Response.json({ error, message: { zh: '中', en: 'E' } }, { status })
const caught = (): Promise<unknown> => api.call('GET', 'orders').catch((error: unknown) => error)

it('reads from the same origin without a token, and gives what the server said', async () => {
  signedIn()
  expect(await api.call('GET', 'orders?state=PAID')).toEqual({ rows: [] })
  expect(sent).toEqual([
    { url: '/console/api/orders?state=PAID', init: { method: 'GET', credentials: 'same-origin', headers: {} } },
  ])
})

it('writes with the token of the session, and says that its body is JSON where it has one', async () => {
  signedIn()
  await api.call('POST', 'x', { a: '1' })
  await api.call('PUT', 'x', {})
  await api.call('DELETE', 'session')
  expect(sent.map(({ init }) => [init.method, init.headers, init.body])).toEqual([
    ['POST', { 'content-type': 'application/json', 'x-acopay-csrf': 'token' }, '{"a":"1"}'],
    ['PUT', { 'content-type': 'application/json', 'x-acopay-csrf': 'token' }, '{}'],
    ['DELETE', { 'x-acopay-csrf': 'token' }, undefined],
  ])
})

it('has no token to send where no user is signed in', async () => {
  await api.call('POST', 'session', { username: 'a' })
  expect(sent[0]?.init.headers).toEqual({ 'content-type': 'application/json' })
})

it('says that the page is idle after a minute without input, so that its reloads keep no session open', async () => {
  const isIdle = async (): Promise<boolean> => {
    await api.call('GET', 'overview')
    return Object.keys(sent.at(-1)?.init.headers ?? {}).includes('x-acopay-idle')
  }
  vi.setSystemTime(new Date('2026-03-01T04:01:00.000Z'))
  expect(await isIdle()).toBe(false)
  vi.setSystemTime(new Date('2026-03-01T04:01:00.001Z'))
  expect(await isIdle()).toBe(true)
  expect(sent.at(-1)?.init.headers).toEqual({ 'x-acopay-idle': '1' })
  expect([...touch.keys()]).toEqual(['pointerdown', 'keydown', 'wheel', 'touchstart'])
  for (const { act, options } of touch.values()) {
    expect(options).toEqual({ passive: true, capture: true })
    vi.setSystemTime(Date.now() + 60_001)
    expect(await isIdle()).toBe(true)
    act()
    expect(await isIdle()).toBe(false)
  }
})

it('throws what the server refused, with its status and its words', async () => {
  answer = refused(409, 'CONFLICT')
  expect(await caught()).toMatchObject({ status: 409, failure: { error: 'CONFLICT', message: { zh: '中', en: 'E' } } })
  answer = async () => new Response('<html>', { status: 502 })
  expect(await caught()).toMatchObject({ status: 502, failure: null })
  answer = () => Promise.reject(new TypeError('offline'))
  const error = await caught()
  expect(error).toBeInstanceOf((await import('./api-error.ts')).ApiError)
  expect(error).toMatchObject({ status: 0, failure: null, message: 'UNREACHABLE' })
})

it('forgets the session when the server says that it has ended, and only then', async () => {
  signedIn()
  answer = refused(403, 'FORBIDDEN')
  await caught()
  expect(api.queries.getQueryData(api.session.queryKey)).toEqual(WHO)
  answer = refused(401, 'SIGN_IN_FIRST')
  expect(await caught()).toMatchObject({ status: 401 })
  expect(api.queries.getQueryData(api.session.queryKey)).toBeNull()
})

it('reads the session again when a password must be changed first', async () => {
  signedIn()
  answer = refused(403, 'FORBIDDEN')
  await caught()
  expect(api.queries.getQueryState(api.session.queryKey)?.isInvalidated).toBe(false)
  answer = refused(403, 'PASSWORD_CHANGE_FIRST')
  await caught()
  expect(api.queries.getQueryState(api.session.queryKey)?.isInvalidated).toBe(true)
})

it('forgets what was loaded for the user before when another signs in or the user signs out', () => {
  signedIn()
  api.queries.setQueryData(['orders'], { rows: ['of the user before'] })
  api.began(null)
  expect(api.queries.getQueryData(['orders'])).toBeUndefined()
  expect(api.queries.getQueryData(api.session.queryKey)).toBeNull()
  api.began(WHO)
  expect(api.queries.getQueryData(api.session.queryKey)).toEqual(WHO)
})

it('keeps the session under a name of its own, and what was loaded fresh for a second', () => {
  expect(api.session.queryKey).toEqual(['session'])
  expect(api.queries.getDefaultOptions()).toEqual({ queries: { retry: expect.any(Function), staleTime: 1000 } })
})

it('asks for the session once, by its own call', async () => {
  answer = async () => Response.json(null)
  expect(await api.queries.fetchQuery(api.session)).toBeNull()
  expect(sent.map(({ url, init }) => `${init.method} ${url}`)).toEqual(['GET /console/api/session'])
  await api.queries.fetchQuery(api.session)
  expect(sent).toHaveLength(1)
})
