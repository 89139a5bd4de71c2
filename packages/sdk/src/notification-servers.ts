/** The handler in plain Node, Express, Fastify and Hono. Each hands over the body as it came, at most a little too much. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { BODY_BYTES_MAX, type NotificationHandler } from './notification-handler.ts'

type RawBody = string | Uint8Array

/**
 * For `node:http` and Express. In Express mount it before `express.json()`: where a parser came first, the bytes that were
 * signed are gone, and it answers 500 and says so to `onError`. What `express.raw()` read is fine.
 */
export const nodeHandler =
  (handler: NotificationHandler) =>
  async (request: IncomingMessage & { body?: RawBody }, response: ServerResponse): Promise<void> => {
    let rawBody: RawBody
    try {
      // Express 4 leaves a body of {} beside a stream that nobody has read.
      rawBody = request.readableDidRead && request.body !== undefined ? request.body : await bytesOf(request)
    } catch {
      return // The caller hung up: nobody is there to answer.
    }
    const { status, headers, body } = await handler(rawBody)
    response.writeHead(status, headers).end(body)
  }

/** What this package needs to know of Fastify's instance. */
type FastifyScope = {
  removeAllContentTypeParsers(): void
  addContentTypeParser(type: string, parser: (request: unknown, payload: Readable) => Promise<unknown>): unknown
  post(url: string, answer: (request: { body: unknown }, reply: FastifyReply) => Promise<unknown>): unknown
}
type FastifyReply = {
  code(status: number): { headers(headers: Record<string, string>): { send(body: string): unknown } }
}

/** A Fastify plugin with the one route `url`. It reads raw bytes in its own scope; other routes keep their parsers. */
export const fastifyPlugin =
  (handler: NotificationHandler, url: string) =>
  async (scope: FastifyScope): Promise<void> => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload) => bytesOf(payload))
    scope.post(url, async (request, reply) => {
      const { status, headers, body } = await handler((request.body ?? '') as RawBody)
      return reply.code(status).headers(headers).send(body)
    })
  }

/** What this package needs to know of Hono's context. */
type HonoContext = { req: { raw: Request; arrayBuffer(): Promise<ArrayBuffer> } }

export const honoHandler =
  (handler: NotificationHandler) =>
  async ({ req }: HonoContext): Promise<Response> => {
    const { status, headers, body } = await handler(await honoBody(req))
    return new Response(body, { status, headers })
  }

/** Hono keeps what a middleware has read; what nobody has read is read up to the limit. */
async function honoBody(req: HonoContext['req']): Promise<RawBody> {
  if (req.raw.bodyUsed) return new Uint8Array(await req.arrayBuffer())
  return req.raw.body === null ? '' : upToTheLimit(req.raw.body)
}

async function bytesOf(stream: Readable): Promise<Uint8Array> {
  const bytes = await upToTheLimit(stream.iterator({ destroyOnReturn: false }))
  // The rest of what is too large is thrown away as it comes, so that the connection can be used again.
  stream.resume()
  return bytes
}

/** All of it, or enough to see that it is too much. */
async function upToTheLimit(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const read: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    read.push(chunk)
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) break
  }
  return Buffer.concat(read)
}
