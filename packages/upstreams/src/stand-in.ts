/**
 * What both stand-ins are made of. A stand-in is a function from a request to an answer, so that it can be mounted in
 * a server that exists or listen by itself; what it knows lies in books that are handed in, and its clock too.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Faults } from './faults.ts'
import type { Control } from './trades.ts'

/** `url` is path and query as the caller sent them: some platforms have them signed. */
export type UpstreamRequest = { method: string; url: string; headers: Record<string, string>; body: string }

export type UpstreamReply = { status: number; headers: Record<string, string>; body: string | Buffer }

/** Null: no answer ever comes, and the connection is cut. */
export type Handler = (request: UpstreamRequest) => Promise<UpstreamReply | null>

/** The platform's side, and what a payer, a test or time does to it. */
export type StandIn = { handle: Handler; control: Control }

/**
 * Where a stand-in keeps what it knows: documents by key. `change` reads, lets `edit` say what is to be written (null
 * writes nothing) and writes, all at once: two changes of one key never interleave.
 */
export interface Books {
  read(key: string): Promise<object | null>
  /** All documents whose key begins with `prefix`, by key. */
  list(prefix: string): Promise<object[]>
  change<Result>(
    key: string,
    edit: (before: object | null) => { after: object | null; result: Result },
  ): Promise<Result>
}

export type StandInWorld = {
  books: Books
  faults: Faults
  now: () => Date
  sleep: (ms: number) => Promise<void>
  /** Delivers a notification; answers the HTTP status and the body that came back, or throws when nothing did. */
  deliver: (url: string, headers: Record<string, string>, body: string) => Promise<{ status: number; body: string }>
}

export function memoryBooks(): Books {
  const documents = new Map<string, object>()
  return {
    read: async (key) => structuredClone(documents.get(key) ?? null),
    list: async (prefix) =>
      [...documents.keys()]
        .filter((key) => key.startsWith(prefix))
        .sort()
        .map((key) => structuredClone(documents.get(key) as object)),
    async change(key, edit) {
      const { after, result } = edit(structuredClone(documents.get(key) ?? null))
      if (after !== null) documents.set(key, structuredClone(after))
      return result
    },
  }
}

/** Listens on a free port of 127.0.0.1. */
export async function listen(handler: Handler): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const { method = 'GET', url = '/' } = request
    const reply = await handler({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') })
    if (reply === null) request.socket.destroy()
    else response.writeHead(reply.status, reply.headers).end(reply.body)
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
