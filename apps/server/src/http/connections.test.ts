import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readConfig } from '../start/config.ts'
import { NO_TRACES } from '../tracing/along.ts'
import type { World } from '../world.ts'
import { countConnections } from './connections.ts'
import { buildServer, NO_EXTRA_ROUTES } from './server.ts'

const errors: object[] = []
let nowMs = 0
const world = {
  isSandbox: false,
  tracer: NO_TRACES,
  phase: () => 'ready',
  now: () => new Date(nowMs),
  log: { info: () => {}, error: (line: object) => errors.push(line) },
} as unknown as World

const newApp = () => buildServer(world, readConfig({ ACOPAY_MODE: 'production' }, '/nowhere'), NO_EXTRA_ROUTES)
let app: ReturnType<typeof newApp>
const sockets: Socket[] = []
beforeEach(async () => {
  errors.length = 0
  app = newApp()
  await app.listen({ port: 0, host: '127.0.0.1' })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await app.close()
})

async function connected(): Promise<Socket> {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}
/** Resolves when the server has closed it. */
const closed = (socket: Socket): Promise<unknown> => once(socket.resume(), 'close')

it('a connection that says nothing is closed after 75 s', async () => {
  expect(app.server.timeout).toBe(75_000)
  app.server.timeout = 20
  await closed(await connected())
})

it('a connection that says half a request and then nothing is closed too', async () => {
  app.server.timeout = 20
  const socket = await connected()
  socket.write('GET /healthz HTTP/1.1\r\nHost: a')
  await closed(socket)
})

it('connections are bounded below what the system allows', () => {
  // 1 024 files are the least that a system gives.
  expect(app.server.maxConnections).toBeGreaterThanOrEqual(512)
})

it('one connection too many is closed at once, those before it go on, and an alarm says so once a minute', async () => {
  app.server.maxConnections = 2
  const [first] = [await connected(), await connected()]
  await closed(await connected())
  await closed(await connected())
  expect(errors).toEqual([{ dropped: 1, connections: 2, alarm: true }])
  nowMs += 60_000
  await closed(await connected())
  expect(errors).toEqual([
    { dropped: 1, connections: 2, alarm: true },
    { dropped: 2, connections: 2, alarm: true },
  ])
  first.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')
  const [answer] = (await once(first, 'data')) as [Buffer]
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 OK/)
})

it('one of several processes closes a connection too many itself, and takes another once one has ended', async () => {
  let dropped = 0
  countConnections(app.server, 2, () => {
    dropped += 1
  })
  const [first, second] = [await connected(), await connected()]
  await closed(await connected())
  expect(dropped).toBe(1)
  second.destroy()
  await expect.poll(() => new Promise((resolve) => app.server.getConnections((_error, open) => resolve(open)))).toBe(1)
  const third = await connected()
  for (const socket of [first, third]) {
    socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 OK/)
  }
  expect(dropped).toBe(1)
})

it('one of several processes has no bound of the system: Node would hand the connection round', async () => {
  const together = { metricsText: async () => '' }
  const config = readConfig({ ACOPAY_MODE: 'production' }, '/nowhere')
  const member = buildServer(world, { ...config, together }, NO_EXTRA_ROUTES)
  expect(member.server.maxConnections).toBeFalsy()
  await member.close()
})
