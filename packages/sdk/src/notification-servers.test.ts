/** Runs the handler in a real server of each framework, and expects the same answers from all of them. */
import '../../../test/support/slow.ts'
import { once } from 'node:events'
import { Agent, createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { derKeys } from '../../../test/support/keys.ts'
import {
  fastifyPlugin,
  honoHandler,
  memoryStore,
  type NotificationHandler,
  nodeHandler,
  notificationHandler,
  ParameterError,
  SignatureError,
  signedTestNotification,
  UnknownNotificationError,
} from './index.ts'

const mchNo = 'MCH1000000'
const SUCCESS = '{"status":"SUCCESS","message":"成功"}'
const FAIL = '{"status":"FAIL","message":"失败"}'

type Running = { url: string; stop: () => void }

const listening = async (server: Server): Promise<Running> => {
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve))
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`, stop }
}

/**
 * Each receives notifications at /notify; those with a JSON parser of their own also have a route /orders that uses it.
 */
const FRAMEWORKS: Record<string, (handler: NotificationHandler) => Promise<Running>> = {
  'plain Node': (handler) => listening(createServer(nodeHandler(handler)).listen(0, '127.0.0.1')),
  Express(handler) {
    const app = express()
    app.post('/notify', nodeHandler(handler))
    app.use(express.json())
    app.post('/orders', (request, response) => void response.json({ got: request.body }))
    return listening(app.listen(0, '127.0.0.1'))
  },
  'Express with express.raw()'(handler) {
    const app = express()
    app.post('/notify', express.raw({ type: () => true, limit: '1mb' }), nodeHandler(handler))
    return listening(app.listen(0, '127.0.0.1'))
  },
  async Fastify(handler) {
    const app = fastify()
    app.register(fastifyPlugin(handler, '/notify'))
    app.post('/orders', async (request) => ({ got: request.body }))
    await app.listen({ port: 0, host: '127.0.0.1' })
    return listening(app.server)
  },
  Hono(handler) {
    const app = new Hono()
    app.post('/notify', honoHandler(handler))
    app.post('/orders', async (c) => c.json({ got: await c.req.json() }))
    return listening(serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server)
  },
  'Hono, the body read before'(handler) {
    const app = new Hono()
    app.use(async (c, next) => {
      await c.req.text()
      await next()
    })
    app.post('/notify', honoHandler(handler))
    return listening(serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server)
  },
}

let keys: { privateKey: string; publicKey: string }
let stranger: { privateKey: string; publicKey: string }
beforeAll(async () => {
  keys = derKeys('ours')
  stranger = derKeys('stranger')
})

let heard: string[]
let errors: unknown[]
let running: Running | undefined
beforeEach(() => {
  heard = []
  errors = []
})
afterEach(() => running?.stop())

const callbacks = {
  onPayment: ({ mchTradeNo, amountTotal }: { mchTradeNo: string; amountTotal: string }) => {
    if (mchTradeNo === 'broken') throw new Error('secret of the merchant')
    heard.push(`paid ${mchTradeNo} ${amountTotal}`)
  },
  onPaymentReturned: async ({ mchTradeNo }: { mchTradeNo: string }) => void heard.push(`returned ${mchTradeNo}`),
  onRefund: async ({ state, mchRefundNo }: { state: string; mchRefundNo: string }) =>
    void heard.push(`refund ${mchRefundNo} ${state}`),
}
const settings = () => ({
  platformPublicKey: keys.publicKey,
  mchNo,
  onError: (error: unknown) => void errors.push(error),
})
const handler = () => notificationHandler({ ...settings(), ...callbacks, store: memoryStore() })

const told = (mchTradeNo = 'o1', by = { mchNo, privateKey: keys.privateKey }): Promise<string> =>
  signedTestNotification({ kind: 'payment', mchTradeNo }, by)

async function send(body: string | Uint8Array, headers = { 'content-type': 'application/json; charset=utf-8' }) {
  const response = await fetch(running?.url ?? '', { method: 'POST', headers, body })
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() }
}

type Case = { body: () => Promise<string | Uint8Array>; status: number; heard: string[]; error: object | null }

const CASES: Record<string, Case> = {
  'a payment': { body: () => told(), status: 200, heard: ['paid o1 12.50'], error: null },
  'a payment that went back': {
    body: () => signedTestNotification({ kind: 'payment_returned', mchTradeNo: 'o1' }, { mchNo, ...keys }),
    status: 200,
    heard: ['returned o1'],
    error: null,
  },
  'a refund': {
    body: () => signedTestNotification({ kind: 'refund', mchRefundNo: 'r1', state: 'FAIL' }, { mchNo, ...keys }),
    status: 200,
    heard: ['refund r1 FAIL'],
    error: null,
  },
  'a changed amount': {
    body: async () => (await told()).replace('12.50', '92.50'),
    status: 401,
    heard: [],
    error: SignatureError,
  },
  "a stranger's key": {
    body: () => told('o1', { mchNo, ...stranger }),
    status: 401,
    heard: [],
    error: SignatureError,
  },
  "another merchant's": {
    body: () => told('o1', { mchNo: 'MCH2', privateKey: keys.privateKey }),
    status: 401,
    heard: [],
    error: SignatureError,
  },
  'an added field': {
    body: async () => (await told()).replace('{', '{"more":"1",'),
    status: 401,
    heard: [],
    error: SignatureError,
  },
  'half a body': {
    body: async () => (await told()).slice(0, 200),
    status: 400,
    heard: [],
    error: SignatureError,
  },
  'nothing at all': { body: async () => '', status: 400, heard: [], error: SignatureError },
  'a body that is not UTF-8': {
    body: async () => Buffer.from([0x7b, 0xff, 0x7d]),
    status: 400,
    heard: [],
    error: SignatureError,
  },
  'a body of 70 KB': {
    body: async () => (await told()) + ' '.repeat(70_000),
    status: 413,
    heard: [],
    error: ParameterError,
  },
  'a payment that the callback fails on': {
    body: () => told('broken'),
    status: 500,
    heard: [],
    error: { message: 'secret of the merchant' },
  },
  'a kind of a later version': {
    body: () => signedTestNotification({ kind: 'refund', state: 'LATE' as never }, { mchNo, ...keys }),
    status: 500,
    heard: [],
    error: UnknownNotificationError,
  },
}

describe.each(Object.entries(FRAMEWORKS))('%s', (name, start) => {
  it.each(Object.entries(CASES))('answers and hears as it should: %s', async (_case, expected) => {
    running = await start(handler())
    const answer = await send(await expected.body())
    expect(answer).toMatchObject({ status: expected.status, body: expected.status === 200 ? SUCCESS : FAIL })
    expect(answer.type).toMatch(/^application\/json/)
    expect(heard).toEqual(expected.heard)
    expect(errors).toEqual(
      expected.error === null
        ? []
        : [typeof expected.error === 'function' ? expect.any(expected.error) : expect.objectContaining(expected.error)],
    )
  })

  it('hears an event once that is told ten times at once, and says SUCCESS ten times', async () => {
    running = await start(handler())
    const bodies = await Promise.all(Array.from({ length: 10 }, () => told()))
    expect(new Set(bodies).size).toBe(10)
    const answers = await Promise.all(bodies.map((body) => send(body)))
    expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(Array(10).fill(`200 ${SUCCESS}`))
    expect(heard).toEqual(['paid o1 12.50'])
  })

  it('does not mind which content-type a notification has', async () => {
    running = await start(handler())
    for (const type of ['text/plain', 'application/octet-stream']) {
      expect(await send(await told(), { 'content-type': type })).toMatchObject({ status: 200 })
    }
  })

  it.runIf(['Express', 'Fastify', 'Hono'].includes(name))('leaves JSON to the other routes', async () => {
    running = await start(handler())
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(running.url.replace('notify', 'orders'), { method: 'POST', headers, body: '{"a":1}' })
    expect(await response.json()).toEqual({ got: { a: 1 } })
  })

  // The other two read the whole body before they call the handler.
  it.runIf(['plain Node', 'Express', 'Fastify', 'Hono'].includes(name))(
    'answers a body that never ends without reading on',
    async () => {
      running = await start(handler())
      const endless = httpRequest(running.url, { method: 'POST' })
      const status = new Promise((resolve, reject) => {
        endless.once('response', (response) => resolve(response.statusCode))
        endless.once('error', reject)
      })
      endless.write('x'.repeat(70_000))
      expect(await status).toBe(413)
      endless.destroy()
    },
  )

  it.runIf(['plain Node', 'Express', 'Fastify'].includes(name))(
    'hears the next one on the connection on which too much came',
    async () => {
      running = await start(handler())
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const post = async (body: string) => {
        const sent = httpRequest(running?.url ?? '', { method: 'POST', agent }).end(body)
        const [response] = await once(sent, 'response')
        await once(response.resume(), 'end')
        return [response.statusCode, sent.reusedSocket]
      }
      expect(await post('x'.repeat(3_000_000))).toEqual([413, false])
      expect(await post(await told())).toEqual([200, true])
      agent.destroy()
    },
  )
})

describe('Express where a parser came before', () => {
  it('answers FAIL and tells the developer where to mount it: the signed bytes are gone', async () => {
    const app = express()
    app.use(express.json())
    app.post('/notify', nodeHandler(handler()))
    running = await listening(app.listen(0, '127.0.0.1'))
    expect(await send(await told())).toMatchObject({ status: 500, body: FAIL })
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining('before express.json()') })])
    expect(heard).toEqual([])
  })

  it('reads the body itself where the parser left it alone', async () => {
    const app = express()
    app.use(express.json(), (request, _response, next) => {
      request.body ??= {} // As Express 4 does.
      next()
    })
    app.post('/notify', nodeHandler(handler()))
    running = await listening(app.listen(0, '127.0.0.1'))
    expect(await send(await told(), { 'content-type': 'text/plain' })).toMatchObject({ status: 200 })
  })
})

describe('the handler', () => {
  it('hears an event twice that is told twice where there is no store', async () => {
    const hear = notificationHandler({ ...settings(), ...callbacks })
    for (const body of [await told(), await told()]) expect((await hear(body)).status).toBe(200)
    expect(heard).toHaveLength(2)
  })

  it('hears an event again after the callback failed, and not again after it did not', async () => {
    let failures = 2
    const onPayment = () => {
      failures -= 1
      if (failures >= 0) throw new Error('not now')
      heard.push('paid')
    }
    const hear = notificationHandler({ ...settings(), ...callbacks, onPayment, store: memoryStore() })
    const statuses: number[] = []
    for (const body of await Promise.all([told(), told(), told(), told()])) statuses.push((await hear(body)).status)
    expect(statuses).toEqual([500, 500, 200, 200])
    expect(heard).toEqual(['paid'])
  })

  it("hands over the store's transaction", async () => {
    const store = { once: (_id: string, work: (tx: number) => Promise<void>) => work(7).then(() => true) }
    const onPayment = (_event: unknown, tx: number) => void heard.push(`in transaction ${tx}`)
    await notificationHandler({ ...settings(), ...callbacks, onPayment, store })(await told())
    expect(heard).toEqual(['in transaction 7'])
  })

  it('answers FAIL, and does not throw, where the store or onError fails', async () => {
    const store = { once: () => Promise.reject(new Error('database away')) }
    const onError = async (error: unknown) => {
      errors.push(error)
      throw new Error('the log is full')
    }
    const hear = notificationHandler({ ...settings(), ...callbacks, onError, store })
    expect(await hear(await told())).toMatchObject({ status: 500, body: FAIL })
    expect(errors).toEqual([expect.objectContaining({ message: 'database away' })])
  })

  it.each(['onPayment', 'onPaymentReturned', 'onRefund'])('is not made without %s', (name) => {
    const make = () => notificationHandler({ ...settings(), ...callbacks, [name]: undefined } as never)
    expect(make).toThrow(`${name} is missing`)
  })
})
