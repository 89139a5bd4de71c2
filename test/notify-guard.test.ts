/** The merchant writes `notify_url`: none may make the gateway call into its own network (real sockets). */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GuardOptions, type Resolve, safePost } from '../apps/server/src/outbound/safe-post.ts'
import { call, orderParams } from './support/merchant.ts'
import { inBatches, wrongRows } from './support/tables.ts'
import { testWorld } from './support/world.ts'

/** The internal server that must never be reached: it notes which of this machine's addresses was called. */
let internal: Server
let port: number
const hits: string[] = []
beforeAll(async () => {
  internal = createServer((request, response) => {
    hits.push(request.socket.localAddress ?? '')
    response.setHeader('connection', 'close').end('{"status":"SUCCESS"}')
  })
  await new Promise<void>((resolve) => internal.listen(0, '::', resolve))
  port = (internal.address() as AddressInfo).port
})
afterAll(() => internal.close())

const resolvesTo =
  (...answers: string[][]): Resolve =>
  (_name, done) => {
    const addresses = answers.length > 1 ? answers.shift() : answers[0]
    done(
      null,
      (addresses ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }

/** Posts as production would, with the internal server's port allowed, so that only the address is a reason to refuse. */
async function posted(url: string, more: Partial<GuardOptions> = {}) {
  hits.length = 0
  const guard = safePost({ ports: [port], networks: [], isLoopbackAllowed: false, ...more })
  const answer = await guard.post(url.replace('PORT', String(port)), '{}', AbortSignal.timeout(20_000))
  await guard.close()
  return { ...answer, hits: [...hits] }
}

const REFUSED = { httpStatus: null, why: 'the address may not be called', hits: [] }

describe('with the guard open the internal server is reached', () => {
  it.each([
    'http://127.0.0.1:PORT/',
    'http://2130706433:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
  ])('%s', async (url) => {
    expect(await posted(url, { isLoopbackAllowed: true })).toMatchObject({
      httpStatus: 200,
      hits: [expect.any(String)],
    })
  })
})

describe('no literal address of an internal network is called', () => {
  it.each([
    ...['127.0.0.1', '127.1', '127.0.0.2', '127.255.255.255', '0.0.0.0', '0', '2130706433', '0x7f000001', '0x7f.1'],
    ...['0177.0.0.1', '0177.1', '017700000001', '127.0.0.1.', '１２７.0.0.1', '127。0。0。1'],
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]', '[::127.0.0.1]'],
    ...['[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2001:0:7f00:1::]', '[::ffff:0:127.0.0.1]'],
    ...['10.0.0.1', '167772161', '0xa.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', '[::ffff:10.0.0.1]'],
    ...['169.254.169.254', '2852039166', '[fe80::1]', '100.64.0.1', '100.127.255.255', '192.0.0.1', '192.0.2.1'],
    // A public number under which Azure serves each of its machines.
    ...['168.63.129.16', '[::ffff:168.63.129.16]', '2822734096'],
    ...['198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...['[fc00::1]', '[fd00:ec2::254]', '[fec0::1]', '[ff02::1]', '[2001:db8::1]', '[100::1]'],
  ])('%s', async (host) => {
    expect(await posted(`http://${host}:PORT/`)).toEqual(REFUSED)
  })
})

describe('no name is called', () => {
  it.each([
    ['localhost', ['127.0.0.1']],
    ['localhost', ['::1']],
    ['a.example', ['127.0.0.1']],
    ['a.example', ['::ffff:127.0.0.1']],
    ['a.example', ['64:ff9b::7f00:1']],
    ['a.example', ['10.0.0.7']],
    ['a.example', ['169.254.169.254']],
    ['a.example', ['100.100.100.200']],
    ['a.example', ['fd00::1']],
    ['a.example', ['0.0.0.0']],
    ['a.example', ['127.0.0.2', '127.0.0.1']],
    ['a.example.', ['127.0.0.1']],
    ['a.example', ['not an address']],
  ])('%s that is %j, one of which is not public', async (name, addresses) => {
    const guard = { resolve: resolvesTo(addresses), networks: ['127.0.0.2/32'] }
    expect(await posted(`http://${name}:PORT/`, guard)).toEqual(REFUSED)
  })

  it('that this machine itself resolves to loopback', async () => {
    expect(await posted('http://localhost:PORT/')).toEqual(REFUSED)
  })

  it('that has no address', async () => {
    expect(await posted('http://a.example:PORT/', { resolve: resolvesTo([]) })).toMatchObject({
      httpStatus: null,
      hits: [],
    })
  })
})

describe('a name that cannot be looked up is a reason for the merchant’s list, not the end of the process', () => {
  it('where no server knows it', async () => {
    const answer = await posted('http://no-such-name.invalid:PORT/')
    // Without a network the look-up itself fails.
    expect(answer).toMatchObject({ httpStatus: null, why: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/), hits: [] })
  })

  it('where the look-up fails', async () => {
    const resolve: Resolve = (_name, done) => done(Object.assign(new Error('try later'), { code: 'EAI_AGAIN' }))
    expect(await posted('http://a.example:PORT/', { resolve })).toEqual({
      httpStatus: null,
      why: 'EAI_AGAIN',
      hits: [],
    })
  })
})

describe('a name that changes its address', () => {
  it('between check and use: the address that was checked is the one that is called, and no other is asked for', async () => {
    let asked = 0
    const resolve: Resolve = (_name, done) => {
      asked += 1
      done(null, [{ address: asked === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 }])
    }
    const answer = await posted('http://a.example:PORT/', { resolve, networks: ['127.0.0.2/32'] })
    expect(answer).toMatchObject({ httpStatus: 200, hits: ['::ffff:127.0.0.2'] })
    expect(asked).toBe(1)
  })

  it('between two notifications: the second is refused', async () => {
    const guard = { resolve: resolvesTo(['127.0.0.2'], ['127.0.0.1']), networks: ['127.0.0.2/32'] }
    const { post, close } = safePost({ ports: [port], isLoopbackAllowed: false, ...guard })
    const url = `http://a.example:${port}/`
    expect(await post(url, '{}', AbortSignal.timeout(20_000))).toMatchObject({ httpStatus: 200 })
    hits.length = 0
    expect(await post(url, '{}', AbortSignal.timeout(20_000))).toEqual({ httpStatus: null, why: REFUSED.why })
    expect(hits).toEqual([])
    await close()
  })
})

it('no port is called that is not listed, and on this machine only the sandbox may choose any', async () => {
  expect(await posted('http://a.example:1/', { resolve: resolvesTo(['127.0.0.2']) })).toMatchObject({
    httpStatus: null,
    why: 'the port may not be called',
  })
  expect(await posted('http://127.0.0.1:PORT/', { ports: [443], isLoopbackAllowed: true })).toMatchObject({
    httpStatus: 200,
  })
})

it('a TLS server is held to the name in the address, not to what it was resolved to', async () => {
  // The internal server speaks no TLS: what counts here is that nothing is sent in the clear.
  const guard = { resolve: resolvesTo(['127.0.0.2']), networks: ['127.0.0.2/32'] }
  expect(await posted('https://a.example:PORT/', guard)).toMatchObject({ httpStatus: null, hits: [] })
})

describe('a server of a merchant', () => {
  /** A server on this machine, posted to as often as the test likes. */
  async function merchant(answer: RequestListener) {
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const guard = safePost({ ports: [], networks: [], isLoopbackAllowed: true })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const stop = async (): Promise<void> => {
      await guard.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    return { url, post: () => guard.post(url, '{}', AbortSignal.timeout(60_000)), stop }
  }

  it('may answer 16 KiB, and of a longer reply nothing is kept', async () => {
    let bytes = 16_384
    const { post, stop } = await merchant((_request, response) => response.end('x'.repeat(bytes)))
    expect(await post()).toEqual({ httpStatus: 200, reply: 'x'.repeat(16_384) })
    bytes = 16_385
    expect(await post()).toEqual({ httpStatus: 200, reply: null })
    await stop()
  })

  it('has 32 calls on as many connections, and the next one waits until one of these is answered', async () => {
    const waiting: ServerResponse[] = []
    let heard = (): void => {}
    const { post, url, stop } = await merchant((request, response) => {
      if (request.method === 'GET') return response.end()
      waiting.push(response)
      heard()
    })
    const isHeard = (count: number) =>
      new Promise<void>((resolve) => {
        heard = () => {
          if (waiting.length >= count) resolve()
        }
        heard()
      })
    const posted = Array.from({ length: 33 }, post)
    await isHeard(32)
    // A connection that the guard opened before these has been heard of by then.
    for (const _ of [1, 2, 3]) await (await fetch(url, { headers: { connection: 'close' } })).text()
    expect(waiting).toHaveLength(32)
    waiting[0]?.end('first')
    await isHeard(33)
    for (const response of waiting.slice(1)) response.end('later')
    expect((await Promise.all(posted)).filter(({ httpStatus }) => httpStatus === 200)).toHaveLength(33)
    await stop()
  })
})

it('in production an order is refused whose notify_url could lead into an internal network, in words that say why', async () => {
  const rows: [notifyUrl: string, says: string][] = [
    ['https://10.0.0.1/told', 'notify_url 应为公网地址'],
    ['https://2130706433/told', 'notify_url 应为公网地址'],
    ['https://[fd00::1]/told', 'notify_url 应为公网地址'],
    ['https://a.example:22/told', 'notify_url 的端口不在允许之列'],
    ['https://user:pass@a.example/told', 'notify_url 不能带用户名、密码或#'],
    ['https://a.example/told?x=1', 'notify_url 不能带查询参数'],
    ['http://127.0.0.1:9000/told', 'notify_url 必须是https地址'],
    ['ftp://a.example/told', 'notify_url 必须是https地址'],
  ]
  const test = await testWorld({ guard: { isLoopbackAllowed: false } })
  test.world.isSandbox = false
  const answers = await inBatches(rows, ([notify_url]) =>
    call(test.demo, { method: 'POST', path: 'trade', params: orderParams(test.demo, { notify_url }) }),
  )
  const told = answers.map(({ status, fieldErrors }) => `${status} ${fieldErrors}`)
  expect(wrongRows(rows, ([url, says], index) => [url, told[index], `1001 ${says}`])).toEqual([])
  await test.stop()
})
