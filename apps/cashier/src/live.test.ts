/** When the page listens, polls, and stops: by a clock of the test, with a browser of which only these parts exist. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { live } from './live.ts'
import { isFinal, type Order } from './order.ts'

class Source {
  static readonly CLOSED = 2
  static all: Source[] = []
  onmessage: (event: { data: string }) => void = () => {}
  onerror: () => void = () => {}
  readyState = 1
  readonly url: string
  constructor(url: string) {
    this.url = url
    Source.all.push(this)
  }
  close(): void {
    this.readyState = 2
  }
}

const order = (phase: string, extra: string | null = null): Order => ({ phase, extra }) as Order
const OPEN = order('open')
const PAID = order('paid')

let asked: string[]
let answer: () => Promise<unknown>
let seen: string[]
let page: EventTarget & { hidden: boolean }
let frame: EventTarget
const source = (): Source => Source.all.at(-1) as Source
const hears = (next: Order): void => source().onmessage({ data: JSON.stringify(next) })
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers()
  Source.all = []
  asked = []
  seen = []
  answer = async () => ({ ok: true, json: async () => OPEN })
  page = Object.assign(new EventTarget(), { hidden: false })
  frame = Object.assign(new EventTarget(), { setTimeout, setInterval })
  vi.stubGlobal('EventSource', Source)
  vi.stubGlobal('document', page)
  vi.stubGlobal('window', frame)
  vi.stubGlobal('fetch', (url: string, init: object) => {
    asked.push(`${url} ${JSON.stringify(init)}`)
    return answer()
  })
  live(
    '/cashier/x',
    {
      onOrder: ({ phase }) => void seen.push(phase),
      onConnected: (is) => void seen.push(is ? 'connected' : 'offline'),
    },
    isFinal,
  )
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const STATE = '/cashier/x/state {"cache":"no-store"}'

it('listens to the events of its order, and does not poll while they come', async () => {
  expect(source().url).toBe('/cashier/x/events')
  hears(OPEN)
  await pass(60_000)
  expect(seen).toEqual(['connected', 'open'])
  expect(asked).toEqual([])
})

it('polls every five seconds while events do not get through, and stops when one does', async () => {
  source().onerror()
  source().onerror()
  await pass(4999)
  expect(asked).toEqual([])
  await pass(1)
  expect(asked).toEqual([STATE])
  await pass(10_000)
  expect(asked).toHaveLength(3)
  expect(seen).toEqual(['connected', 'open', 'connected', 'open', 'connected', 'open'])
  hears(OPEN)
  await pass(60_000)
  expect(asked).toHaveLength(3)
  source().onerror()
  await pass(5000)
  expect(asked).toHaveLength(4)
})

it('says that it is offline when the server refuses or does not answer', async () => {
  source().onerror()
  answer = async () => ({ ok: false, json: async () => PAID })
  await pass(5000)
  answer = () => Promise.reject(new TypeError('offline'))
  await pass(5000)
  expect(seen).toEqual(['offline', 'offline'])
})

it('listens ten minutes longer after the order has ended, and then neither polls nor hears', async () => {
  hears(PAID)
  await pass(10 * 60_000 - 1)
  expect(source().readyState).toBe(1)
  source().onerror()
  await pass(1)
  expect(source().readyState).toBe(2)
  asked = []
  hears(OPEN)
  page.dispatchEvent(new Event('visibilitychange'))
  frame.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  await pass(60_000)
  expect(seen).toEqual(['connected', 'paid'])
  expect(asked).toEqual([])
  expect(Source.all).toHaveLength(1)
})

it('counts the ten minutes from the first end, and not while another payment is on its way back', async () => {
  hears(PAID)
  await pass(5 * 60_000)
  hears(PAID)
  await pass(5 * 60_000 - 1)
  hears(order('paid', 'returning'))
  await pass(60 * 60_000)
  expect(source().readyState).toBe(1)
  hears(order('paid', 'returned'))
  await pass(10 * 60_000)
  expect(source().readyState).toBe(2)
})

it('asks at once when the payer comes back to the page, and listens anew where the browser gave up', async () => {
  page.hidden = true
  page.dispatchEvent(new Event('visibilitychange'))
  expect(asked).toEqual([])
  page.hidden = false
  page.dispatchEvent(new Event('visibilitychange'))
  expect(asked).toEqual([STATE])
  expect(Source.all).toHaveLength(1)
  const given = source()
  given.readyState = Source.CLOSED
  page.dispatchEvent(new Event('visibilitychange'))
  expect(Source.all).toHaveLength(2)
  frame.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }))
  expect(asked).toHaveLength(2)
  frame.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  expect(asked).toHaveLength(3)
})
