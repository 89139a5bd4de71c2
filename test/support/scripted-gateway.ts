/**
 * A gateway on loopback that answers what a test tells it to, for tests of the SDK without a database. It signs with the
 * platform's key of the vectors and its own second copy of the canonical text (spec/protocol.md 2), not with the code
 * that the tests are about.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const VECTORS = new URL('../../packages/protocol/vectors/signature.json', import.meta.url)
export const vectors = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
  keys: Record<'merchantPrivateKey' | 'merchantPublicKey' | 'platformPrivateKey' | 'platformPublicKey', string>
  requests: { name: string; params: Record<string, string | null>; canonical: string; sign: string }[]
  responses: { name: string; body: Record<string, unknown>; canonical: string; sign: string }[]
}

export const MCH_NO = 'MCH1000000'

/** A request as it came over the wire. `query` and `body` are its parameters. */
export type Seen = {
  method: string
  path: string
  query: Record<string, string>
  body: Record<string, string> | null
  headers: IncomingHttpHeaders
}

type Data = Record<string, string | null>
/** Writes the answer itself, or returns the text that is sent with HTTP 200. */
export type Answer = (seen: Seen, response: ServerResponse) => string | undefined

export type ScriptedGateway = {
  url: string
  /** The requests since the last `says`. */
  seen: Seen[]
  /** Gives one of these answers to each request from now on, and the last one to all further requests. */
  says: (...answers: Answer[]) => void
  stop: () => Promise<void>
}

export async function scriptedGateway(): Promise<ScriptedGateway> {
  const seen: Seen[] = []
  let script: Answer[] = []
  const server = createServer(async (request, response) => {
    const one = await readRequest(request)
    seen.push(one)
    const text = script[Math.min(seen.length, script.length) - 1]?.(one, response)
    if (text !== undefined) response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(text)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    says: (...answers) => {
      script = answers
      seen.length = 0
    },
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function readRequest(request: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://gateway')
  const text = Buffer.concat(chunks).toString('utf8')
  return {
    method: request.method ?? '',
    path: pathname,
    query: Object.fromEntries(searchParams),
    body: text === '' ? null : JSON.parse(text),
    headers: request.headers,
  }
}

/** Sorted by name, without null; enough for texts that need no escapes beyond those of JSON. */
export function canonical(value: object): string {
  const sorted = (one: unknown): unknown =>
    typeof one !== 'object' || one === null
      ? one
      : Object.fromEntries(
          Object.entries(one)
            .filter(([, member]) => member !== null)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, member]) => [name, sorted(member)]),
        )
  return JSON.stringify(sorted(value))
}

const der = (text: string): Buffer => Buffer.from(text, 'base64')
const platformKey = createPrivateKey({ key: der(vectors.keys.platformPrivateKey), format: 'der', type: 'pkcs8' })
const merchantKey = createPublicKey({ key: der(vectors.keys.merchantPublicKey), format: 'der', type: 'spki' })

export const platformSign = (text: string): string =>
  sign('RSA-SHA256', Buffer.from(text), platformKey).toString('base64')

/** Whether the request's signature is the merchant's, of these parameters with the three headers. */
export function isSignedByMerchant({ headers }: Seen, params: object): boolean {
  const { 'x-acopay-mch-no': mch_no, 'x-acopay-nonce': nonce, 'x-acopay-sign-type': sign_type } = headers
  const text = canonical({ ...params, mch_no, nonce, sign_type })
  return verify('RSA-SHA256', Buffer.from(text), merchantKey, der(String(headers['x-acopay-sign'])))
}

type Envelope = { status: number; message: string; fieldErrors: string | null }

/** An envelope as the platform sends it: `data` with the four members that every signed answer has. */
export function signedEnvelope(envelope: Envelope, data: Data, { mchNo = MCH_NO } = {}): string {
  const signed = { ...data, mch_no: mchNo, nonce: 'answer-nonce', sign_type: 'SHA256withRSA' }
  return JSON.stringify({
    ...envelope,
    data: { ...signed, sign: platformSign(canonical({ ...envelope, data: signed })) },
  })
}

/** The answer to a call that was processed. */
export const success =
  (data: Data): Answer =>
  () =>
    signedEnvelope({ status: 200, message: 'SUCCESS', fieldErrors: null }, data)
