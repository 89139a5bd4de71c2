/**
 * Signing in by an identity provider (OpenID Connect): the authorization code flow with PKCE, by `openid-client`, which is loaded when
 * somebody first asks for it. This process calls the configured issuer's own host and no other one.
 */
import { createHmac } from 'node:crypto'
import type { ClientAuth, Configuration, ServerMetadata } from 'openid-client'

export type ProviderSettings = {
  /** As the provider itself spells it. */
  issuer: string
  clientId: string
  clientSecret: string
  /** What people call it. */
  name: string
  /** The gateway's own address. */
  publicUrl: string
}

/** 'denied': the person did not go on. 'refused': what came back does not hold, or the provider does not know us. */
export type FailureKind = 'unreachable' | 'denied' | 'refused'

export class ProviderFailure extends Error {
  readonly kind: FailureKind
  /** A code of the library or of the provider: for the log, and nothing secret. */
  readonly code: string
  constructor(kind: FailureKind, code: string) {
    super(`the identity provider: ${kind}`)
    this.kind = kind
    this.code = code
  }
}

export type IdentityProvider = {
  name: string
  issuer: string
  /** Where the browser of this trip goes. */
  urlOf: (tripToken: string) => Promise<string>
  /** Whom the browser of this trip came back as. `query`: of the address to which it was sent back. */
  subjectOf: (tripToken: string, query: string) => Promise<string>
  /** Where a person signs out of the provider itself; null where it has no such page. */
  signOutUrl: () => Promise<string | null>
}

const CALL_S = 5
const ANSWER_BYTES_MAX = 262_144
/** How long what the provider says of itself is believed. */
const KNOWN_MS = 3_600_000

/** As the standard has it: ASCII, at most 255 characters. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/

const CALLBACK = '/console/provider/callback'

/** What a trip's cookie stands for. None of the three says anything of the cookie or of the others. */
const secretsOf = (tripToken: string) => {
  const of = (what: string): string => createHmac('sha256', tripToken).update(what, 'utf8').digest('base64url')
  return { state: of('state'), nonce: of('nonce'), verifier: of('code verifier') }
}

export function identityProvider(settings: ProviderSettings, steadyMs: () => number): IdentityProvider {
  const { issuer, name, publicUrl } = settings
  const redirectUri = publicUrl + CALLBACK
  let known: { config: Promise<Configuration>; readMs: number } | null = null

  /** Those who ask at the same time share one question; one that failed is asked again. */
  function configuration(): Promise<Configuration> {
    if (known !== null && steadyMs() - known.readMs < KNOWN_MS) return known.config
    const config = discover(settings).catch(failed)
    const asked = { config, readMs: steadyMs() }
    known = asked
    config.catch(() => {
      if (known === asked) known = null
    })
    return config
  }

  return {
    name,
    issuer,
    async urlOf(tripToken) {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await import('openid-client')
      const { state, nonce, verifier } = secretsOf(tripToken)
      const code_challenge = await calculatePKCECodeChallenge(verifier)
      const asked = {
        redirect_uri: redirectUri,
        scope: 'openid',
        state,
        nonce,
        code_challenge,
        code_challenge_method: 'S256',
      }
      return buildAuthorizationUrl(await configuration(), asked).href
    },
    async subjectOf(tripToken, query) {
      const { authorizationCodeGrant } = await import('openid-client')
      const { state, nonce, verifier } = secretsOf(tripToken)
      const back = new URL(redirectUri)
      back.search = query
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true }
      const tokens = await authorizationCodeGrant(await configuration(), back, checks).catch(failed)
      const subject = tokens.claims()?.sub
      if (subject === undefined || !SUBJECT.test(subject)) throw new ProviderFailure('refused', 'no subject')
      return subject
    },
    async signOutUrl() {
      const config = await configuration()
      if (config.serverMetadata().end_session_endpoint === undefined) return null
      const { buildEndSessionUrl } = await import('openid-client')
      return buildEndSessionUrl(config, { post_logout_redirect_uri: `${publicUrl}/console/` }).href
    },
  }
}

/** What the provider says of itself. The signature of each ID token is checked too, not only where the token came from. */
async function discover({ issuer, clientId, clientSecret }: ProviderSettings): Promise<Configuration> {
  const client = await import('openid-client')
  const { allowInsecureRequests, enableNonRepudiationChecks } = client
  // The settings allow http for this machine alone.
  const plain = issuer.startsWith('http:') ? [allowInsecureRequests] : []
  const { origin } = new URL(issuer)
  // Which way of showing the secret the provider wants is known only after it was asked.
  const authenticate: ClientAuth = (as, ...more) => {
    const ways = as.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const way = ways.includes('client_secret_basic') ? client.ClientSecretBasic : client.ClientSecretPost
    return way(clientSecret)(as, ...more)
  }
  const config = await client.discovery(new URL(issuer), clientId, undefined, authenticate, {
    execute: [...plain, enableNonRepudiationChecks],
    timeout: CALL_S,
    [client.customFetch]: (url, options) => fetchFrom(origin, url, options as RequestInit),
  })
  const elsewhere = endpointsOf(config.serverMetadata()).find((url) => new URL(url).origin !== origin)
  if (elsewhere !== undefined)
    throw new ProviderFailure('refused', `an endpoint of another host: ${new URL(elsewhere).origin}`)
  return config
}

/** What this process calls. Where the browser goes may be elsewhere. */
const endpointsOf = ({ token_endpoint, jwks_uri }: Readonly<ServerMetadata>): string[] =>
  [token_endpoint, jwks_uri].filter((url) => url !== undefined)

/** Follows no redirection, and reads no more than an answer of this kind has. */
async function fetchFrom(origin: string, url: string, options: RequestInit): Promise<Response> {
  if (new URL(url).origin !== origin) throw new ProviderFailure('refused', 'a call to another host')
  const answer = await fetch(url, { ...options, redirect: 'manual' })
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of answer.body ?? []) {
    bytes += part.byteLength
    if (bytes > ANSWER_BYTES_MAX) throw new ProviderFailure('refused', 'an answer that is too long')
    parts.push(part)
  }
  const { status, headers } = answer
  // Answers without a body may not be made with one.
  return new Response(bytes === 0 ? null : Buffer.concat(parts), { status, headers })
}

/** Which failure an error of the library is. It may hold tokens in its cause, so that nothing of it but a code goes on. */
function failed(error: unknown): never {
  const found = causesOf(error).find((one) => one instanceof ProviderFailure)
  if (found !== undefined) throw found
  const { code = '', error: said = '' } = error as { code?: string; error?: string }
  if (said === 'access_denied') throw new ProviderFailure('denied', said)
  const isDown = said === '' && (!isCoded(code) || code === 'OAUTH_TIMEOUT' || code === 'OAUTH_RESPONSE_IS_NOT_CONFORM')
  throw new ProviderFailure(isDown ? 'unreachable' : 'refused', [code, said].join(' ').trim())
}

const isCoded = (code: string): boolean => code.startsWith('OAUTH_')

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = []
  for (let one = error; one instanceof Error && causes.length < 10; one = one.cause) causes.push(one)
  return causes
}
