/** An identity provider of another author on this machine, people who sign in at it, and lies that it tells. */
import { createSign, generateKeyPairSync } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
// @ts-expect-error it comes without types
import Provider from 'oidc-provider'

export const CLIENT = { id: 'acopay-console', secret: 'a secret that only both know'.replaceAll(' ', '-') }

type Handle = (request: IncomingMessage, response: ServerResponse) => void
type Claims = Record<string, unknown>

export type TestProvider = {
  issuer: string
  /** The paths that were called, those of browsers left out. */
  called: () => string[]
  /** Changes the claims of the next ID tokens, which stay well signed; or the whole token. Null: no lies. */
  lie: (lie: { claims?: Claims; token?: (token: string) => string } | null) => void
  /** Answers something else at this path. */
  answer: (path: string, body: object | null) => void
  /** A person signs in and agrees; answers where their browser is sent back to. `instead`: presses "abort". */
  person: (url: string, name: string, instead?: 'abort') => Promise<string>
  stop: () => Promise<void>
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** `publicUrl`: the gateway's. */
export async function testProvider(publicUrl: string): Promise<TestProvider> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'key', use: 'sig', alg: 'RS256' }
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${publicUrl}/console/provider/callback`],
        post_logout_redirect_uris: [`${publicUrl}/console/`],
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: ['a key of cookies'] },
    pkce: { required: () => true },
    // Said, because it tells of everything that is left to it.
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
  }) as { callback: () => Handle }
  const serve = provider.callback()
  const called: string[] = []
  const answers = new Map<string, object>()
  let lie: Parameters<TestProvider['lie']>[0] = null

  /** The same token with other claims, signed by the same key. */
  const told = (token: string): string => {
    const [head = '', claims = ''] = token.split('.')
    const changed = { ...(JSON.parse(Buffer.from(claims, 'base64url').toString()) as Claims), ...lie?.claims }
    const text = `${head}.${part(changed)}`
    const signed = `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`
    return lie?.token?.(signed) ?? signed
  }

  /** Changes the body that the provider writes. */
  function liesIn(response: ServerResponse): void {
    const end = response.end.bind(response) as (body: string) => ServerResponse
    response.end = ((body?: string | Buffer) => {
      const answer = JSON.parse(String(body)) as { id_token?: string }
      const text = JSON.stringify(answer.id_token ? { ...answer, id_token: told(answer.id_token) } : answer)
      response.setHeader('content-length', Buffer.byteLength(text))
      return end(text)
    }) as ServerResponse['end']
  }

  server.on('request', (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    if (!/^\/(auth|interaction|session)/.test(path)) called.push(path)
    const instead = answers.get(path)
    if (instead !== undefined) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(instead))
      return
    }
    if (path === '/token' && lie !== null) liesIn(response)
    serve(request, response)
  })
  return {
    issuer,
    called: () => called,
    lie: (next) => {
      lie = next
    },
    answer: (path, body) => void (body === null ? answers.delete(path) : answers.set(path, body)),
    person: (url, name, instead) => personAt(issuer, url, { name, instead }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** What a browser does, without one: it keeps cookies, follows, and fills in the two forms. */
async function personAt(
  issuer: string,
  url: string,
  { name, instead }: { name: string; instead: 'abort' | undefined },
): Promise<string> {
  const cookies = new Map<string, string>()
  const ask = async (at: string, body?: Record<string, string>): Promise<string> => {
    const response = await fetch(at, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
      redirect: 'manual',
      ...(body === undefined ? {} : { body: new URLSearchParams(body) }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    await response.text()
    return new URL(response.headers.get('location') ?? '', issuer).href
  }
  let at = await ask(url)
  for (const form of [{ prompt: 'login', login: name, password: 'any' }, { prompt: 'consent' }]) {
    if (!at.startsWith(`${issuer}/interaction/`)) return at
    at = instead === 'abort' ? await ask(`${at}/abort`) : await ask(at, form)
    // Back at the provider, which goes on to its next question or back to the gateway.
    at = await ask(at)
  }
  return at
}
