/** Passes a notification on to the merchant's server: body and headers as they came, byte for byte, and the answer back. */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { NotificationAnswer, NotificationHandler } from '@acopay/sdk'

export type ServerAnswer = NotificationAnswer

/** `answer` null: none came, and `failure` says why. */
export type Passed = { answer: ServerAnswer | null; ms: number; failure: string | null }

type Door = {
  target: URL
  /** Verifies first, then asks for the answer. */
  hear: (answer: () => Promise<ServerAnswer>) => NotificationHandler
  show: (passed: Passed) => void
}

/** A larger body is no notification, and no answer to one. */
const BYTES_MAX = 64 * 1024

/** The gateway gives up after 5 s. A developer who stops at a breakpoint sees the answer here all the same. */
const ANSWER_MS = 30_000

/** Headers of the connection, which ends here; the next one has its own. */
const OF_THE_CONNECTION = new Set(['connection', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

export async function passOn(request: IncomingMessage, response: ServerResponse, door: Door): Promise<void> {
  const body = await bytesOf(request)
  const {
    status,
    headers,
    body: text,
  } = await door.hear(async () => {
    const startedMs = performance.now()
    const passed = await send(door.target, request.rawHeaders, body).then(
      (answer) => ({ answer, failure: null }),
      (error: NodeJS.ErrnoException) => ({ answer: null, failure: error.code ?? error.message }),
    )
    door.show({ ...passed, ms: Math.round(performance.now() - startedMs) })
    return passed.answer ?? NO_ANSWER
  })(body)
  response.writeHead(status, headers).end(text)
}

const NO_ANSWER: ServerAnswer = {
  status: 502,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: '{"status":"FAIL","message":"失败"}',
}

/** At most one byte more than is allowed, so that the reader sees that it is too much. */
async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of message as AsyncIterable<Buffer>) {
    if (bytes <= BYTES_MAX) parts.push(part)
    bytes += part.length
  }
  return Buffer.concat(parts).subarray(0, BYTES_MAX + 1)
}

/** The pairs of raw headers whose name `keeps`, flat as Node takes them, in their order and spelling. */
const headersThat = (raw: string[], keeps: (name: string) => boolean): string[] =>
  raw.flatMap((name, index) => (index % 2 === 0 && keeps(name.toLowerCase()) ? [name, raw[index + 1] ?? ''] : []))

function send(target: URL, rawHeaders: string[], body: Buffer): Promise<ServerAnswer> {
  const ask = target.protocol === 'https:' ? httpsRequest : httpRequest
  const kept = headersThat(rawHeaders, (name) => !OF_THE_CONNECTION.has(name) && name !== 'content-length')
  // The length is that of the bytes that are sent: the request may have come in chunks.
  const headers = ['Host', target.host, ...kept, 'Content-Length', String(body.length)]
  return new Promise((resolve, reject) => {
    const request = ask(target, { method: 'POST', headers, timeout: ANSWER_MS }, (answer) => {
      bytesOf(answer).then((bytes) => {
        const { statusCode: status = 502, headers: told } = answer
        const type = told['content-type']
        resolve({ status, headers: type === undefined ? {} : { 'content-type': type }, body: bytes.toString('utf8') })
      }, reject)
    })
    request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MS} ms`)))
    request.on('error', reject)
    request.end(body)
  })
}
