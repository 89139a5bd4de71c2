/** A small HTTP server for the oracles: it shows a test what was asked, byte for byte, and says what the test wants. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Asked = { method: string; url: string; headers: Record<string, string>; body: string }

export type Said = { status: number; headers: Record<string, string>; body: Buffer }

export type OracleServer = { url: string; asked: Asked[]; stop: () => Promise<void> }

/** An error of `answer` is answered with 599, so that a test sees it instead of a time-out. */
export async function oracleServer(answer: (asked: Asked) => Said): Promise<OracleServer> {
  const asked: Asked[] = []
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const { method = '', url = '' } = request
    const one = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') }
    asked.push(one)
    const { status, headers: more, body } = answer(one)
    response.writeHead(status, more).end(status === 204 ? undefined : body)
  }
  const server = createServer((request, response) => {
    take(request, response).catch((error: unknown) => response.writeHead(599).end(String(error)))
  })
  // Longer than any test is busy with something else: a request on a connection that is just being closed fails.
  server.keepAliveTimeout = 600_000
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
