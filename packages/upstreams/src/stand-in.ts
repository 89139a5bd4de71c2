/**
 * What the simulators of both upstreams have in common. A simulator is a function from a request to an answer, so that
 * the gateway's own server can mount it, and a test can let it listen on a port of its own.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Control } from './control.ts'

/** `url` is path and query exactly as the caller sent them: WeChat Pay's signatures cover them. */
export type UpstreamRequest = { method: string; url: string; headers: Record<string, string>; body: string }

export type UpstreamReply = { status: number; headers: Record<string, string>; body: string | Buffer }

/** Null means no answer: the server then cuts the connection. */
export type Handler = (request: UpstreamRequest) => Promise<UpstreamReply | null>

/**
 * `handle` is what the gateway calls; `control` is what a payer, a test or the passing of time does to the upstream.
 */
export type StandIn = { handle: Handler; control: Control }

/** Listens on a free port of 127.0.0.1. A handler that fails is answered with 500. */
export async function listen(handler: Handler): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer((request, response) => {
    respond(handler, request, response).catch(() => {
      // The error may quote keys or a body of the request, so it is neither sent nor logged.
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function respond(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  const { method = 'GET', url = '/' } = request
  const reply = await handler({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') })
  if (reply === null) request.socket.destroy()
  else response.writeHead(reply.status, reply.headers).end(reply.body)
}
