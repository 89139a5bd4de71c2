/**
 * A small load balancer, as simple ones are: it asks each gateway's `/readyz`, sends calls in turn to those that are ready, keeps
 * connections, and tries nothing again. A call that does not get through is a failed call.
 */
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export type Balancer = {
  url: string
  add: (gatewayUrl: string) => void
  /** Takes it out by hand. */
  remove: (gatewayUrl: string) => void
  isReady: (gatewayUrl: string) => boolean
  stop: () => Promise<void>
}

type Behind = { url: string; isReady: boolean; misses: number }

const ASKED_EVERY_MS = 250
/** A gateway that says nothing so many times is down; one that says that it stops is believed at once. */
const MISSES = 3

export async function balancer(): Promise<Balancer> {
  const agent = new http.Agent({ keepAlive: true })
  let all: Behind[] = []
  let turn = 0
  const server = http.createServer((request, response) => {
    const ready = all.filter(({ isReady }) => isReady)
    const chosen = ready[turn++ % Math.max(1, ready.length)]
    if (chosen === undefined) return void response.writeHead(503).end('no gateway is ready')
    const { method, headers, url } = request
    const passed = http.request(new URL(url ?? '/', chosen.url), { method, headers, agent }, (answer) => {
      const { connection: _, 'keep-alive': _kept, ...rest } = answer.headers
      response.writeHead(answer.statusCode ?? 502, rest)
      answer.pipe(response)
    })
    passed.on('error', (error) => response.writeHead(502).end(`${chosen.url}: ${error.message}`))
    request.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const asking = setInterval(() => {
    for (const behind of all) void ask(behind)
  }, ASKED_EVERY_MS)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (url) => {
      const behind = { url, isReady: false, misses: 0 }
      all.push(behind)
      void ask(behind)
    },
    remove: (url) => {
      all = all.filter((behind) => behind.url !== url)
    },
    isReady: (url) => all.some((behind) => behind.url === url && behind.isReady),
    async stop() {
      clearInterval(asking)
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function ask(behind: Behind): Promise<void> {
  try {
    const { ok } = await fetch(`${behind.url}/readyz`, { signal: AbortSignal.timeout(3000) })
    behind.misses = 0
    behind.isReady = ok
  } catch {
    behind.misses += 1
    if (behind.misses >= MISSES) behind.isReady = false
  }
}
