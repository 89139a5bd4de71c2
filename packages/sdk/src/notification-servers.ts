/**
 * The handler for plain Node, Express, Fastify and Hono. Each passes on the raw body, and reads little more than the
 * limit.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { BODY_BYTES_MAX, type NotificationHandler } from './notification-handler.ts'

type RawBody = string | Uint8Array

/**
 * For `node:http` and Express. In Express mount it before `express.json()`: a parser that runs first discards the
 * signed bytes, and the handler then answers 500 and reports it to `onError`. `express.raw()` before it is fine.
 */
export const nodeHandler =
  (handler: NotificationHandler) =>
  async (request: IncomingMessage & { body?: RawBody }, response: ServerResponse): Promise<void> => {
    let rawBody: RawBody
    try {
      // Express 4 sets body to {} although the stream was not read.
      rawBody = request.readableDidRead && request.body !== undefined ? request.body : await bytesOf(request)
    } catch {
      return // The caller has disconnected.
    }
    const { status, headers, body } = await handler(rawBody)
    response.writeHead(status, headers).end(body)
  }

/** The part of Fastify's instance that this package uses. */
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

/** The part of Hono's context that this package uses. */
type HonoContext = { req: { raw: Request; arrayBuffer(): Promise<ArrayBuffer> } }

export const honoHandler =
  (handler: NotificationHandler) =>
  async ({ req }: HonoContext): Promise<Response> => {
    const { status, headers, body } = await handler(await honoBody(req))
    return new Response(body, { status, headers })
  }

/** Hono keeps a body that a middleware has read; an unread body is read up to the limit. */
async function honoBody(req: HonoContext['req']): Promise<RawBody> {
  if (req.raw.bodyUsed) return new Uint8Array(await req.arrayBuffer())
  return req.raw.body === null ? '' : upToTheLimit(req.raw.body)
}

async function bytesOf(stream: Readable): Promise<Uint8Array> {
  const bytes = await upToTheLimit(stream.iterator({ destroyOnReturn: false }))
  // The rest of a body that is too large is discarded as it arrives, so that the connection can be reused.
  stream.resume()
  return bytes
}

/** The whole body, or just enough of it to see that it is too large. */
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
