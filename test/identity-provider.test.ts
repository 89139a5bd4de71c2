/** Signing in to the console by an identity provider: against a real one, with people, with lies, and without one. */
import { Secret, TOTP } from 'otpauth'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, addUser, type ConsoleClient, consoleClient, PASSWORD, signedIn } from './support/console.ts'
import { CLIENT, type TestProvider, testProvider } from './support/identity-provider.ts'
import { type TestWorld, testWorld } from './support/world.ts'

/** The browsers of this file ask the gateway at its own address, whatever it calls itself. */
const PUBLIC_URL = 'http://127.0.0.1:9'

let provider: TestProvider
let gateway: TestWorld
beforeAll(async () => {
  provider = await testProvider(PUBLIC_URL)
  gateway = await testWorld({
    env: {
      ACOPAY_PUBLIC_URL: PUBLIC_URL,
      ACOPAY_OIDC_ISSUER: provider.issuer,
      ACOPAY_OIDC_CLIENT_ID: CLIENT.id,
      ACOPAY_OIDC_CLIENT_SECRET: CLIENT.secret,
      ACOPAY_OIDC_NAME: '公司账号',
      ACOPAY_TOTP_ROLES: 'finance',
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await provider.stop()
})
beforeEach(() => void gateway.advance(2000))
afterEach(() => provider.lie(null))

const cookieIn = ({ headers }: { headers: Headers }, name: string): string =>
  headers
    .getSetCookie()
    .find((line) => line.startsWith(`${name}=`))
    ?.split(';')[0] ?? ''

type Away = { url: string; trip: string }
const awayBy = (answer: Answer): Away => {
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return { url: answer.body.url, trip: cookieIn(answer, 'acopay_trip') }
}
const leave = async (): Promise<Away> => awayBy(await consoleClient(gateway.demo.baseUrl).send('POST', 'provider', {}))

/** The browser is sent back to `url`, with the cookies that it has. */
async function comeBack(url: string, trip: string) {
  const response = await fetch(url.replace(PUBLIC_URL, gateway.demo.baseUrl), {
    headers: { cookie: trip, 'sec-fetch-site': 'cross-site' },
    redirect: 'manual',
  })
  return {
    to: response.headers.get('location'),
    session: cookieIn(response, 'acopay_console'),
    trip: cookieIn(response, 'acopay_trip'),
    headers: response.headers,
  }
}
const signInAs = async (name: string) => {
  const { url, trip } = await leave()
  return comeBack(await provider.person(url, name), trip)
}
const failedBy = (word: string) => ({ to: `/console/overview?provider=${word}`, session: '' })

/** A user who is linked with the person of the same name. */
async function linked(username: string, role: Parameters<typeof addUser>[2] = 'operator'): Promise<ConsoleClient> {
  await addUser(gateway, username, role)
  const user = await signedIn(gateway, username)
  const { url, trip } = awayBy(await user.send('POST', 'session/provider', {}))
  expect(await comeBack(await provider.person(url, username), trip)).toMatchObject({
    to: '/console/account?provider=linked',
  })
  return user
}

const sessionOf = async (cookie: string) => (await consoleClient(gateway.demo.baseUrl, cookie).get('session')).body

describe('a user', () => {
  it('links the own account, signs in by the provider, and may sign out of it too', async () => {
    const user = await linked('wang')
    expect((await user.get('session/provider')).body).toEqual({ name: '公司账号', linked_at: expect.any(String) })
    expect((await consoleClient(gateway.demo.baseUrl).get('provider')).body).toEqual({ name: '公司账号' })
    const back = await signInAs('wang')
    expect(back.to).toBe('/console/overview')
    expect(back.headers.get('referrer-policy')).toBe('no-referrer')
    expect(back.headers.get('cache-control')).toBe('no-store')
    const session = await sessionOf(back.session)
    expect(session).toMatchObject({ username: 'wang', role: 'operator' })
    // The provider may have asked nobody anything: what needs a proof asks for the password.
    const byProvider = consoleClient(gateway.demo.baseUrl, back.session, session)
    expect((await byProvider.send('POST', 'session/provider', {})).body).toMatchObject({ error: 'PROOF_NEEDED' })
    expect((await byProvider.send('POST', 'session/proof', { password: PASSWORD })).status).toBe(200)
    expect((await byProvider.send('POST', 'session/provider', {})).status).toBe(409)
    const ended = await byProvider.send('DELETE', 'session')
    const away = new URL(ended.body.provider_sign_out)
    expect([
      away.origin,
      away.searchParams.get('client_id'),
      away.searchParams.get('post_logout_redirect_uri'),
    ]).toEqual([provider.issuer, CLIENT.id, `${PUBLIC_URL}/console/`])
    expect(await sessionOf(back.session)).toBeNull()
    // Who signs in by the password has nothing to sign out of there.
    expect((await user.send('DELETE', 'session')).body).toEqual({ provider_sign_out: null })
  })

  it('leaves with state, nonce and a code challenge, and with a cookie that scripts cannot read', async () => {
    const answer = await consoleClient(gateway.demo.baseUrl).send('POST', 'provider', {})
    const { searchParams } = new URL(answer.body.url)
    expect(Object.fromEntries(searchParams)).toMatchObject({
      ...{ response_type: 'code', scope: 'openid', code_challenge_method: 'S256', client_id: CLIENT.id },
      redirect_uri: `${PUBLIC_URL}/console/provider/callback`,
    })
    for (const name of ['state', 'nonce', 'code_challenge']) expect(searchParams.get(name), name).toMatch(/^[\w-]{43}$/)
    expect(answer.headers.getSetCookie()[0]).toMatch(
      /^acopay_trip=[\w-]{43}; Max-Age=600; Path=\/console; HttpOnly; SameSite=Lax$/,
    )
  })

  it('who is linked with nobody here, or is disabled, does not get in', async () => {
    expect(await signInAs('stranger')).toMatchObject(failedBy('nobody'))
    await linked('disabled')
    await gateway.database.pool.query(`update console_user set enabled = false where username = 'disabled'`)
    expect(await signInAs('disabled')).toMatchObject(failedBy('nobody'))
  })

  it('has one account there, and an account there has one user here', async () => {
    await linked('first')
    await addUser(gateway, 'second', 'operator')
    const second = await signedIn(gateway, 'second')
    const { url, trip } = awayBy(await second.send('POST', 'session/provider', {}))
    expect(await comeBack(await provider.person(url, 'first'), trip)).toMatchObject({
      to: '/console/account?provider=taken',
    })
    const first = await signedIn(gateway, 'first')
    expect((await first.send('POST', 'session/provider', {})).status).toBe(409)
    expect((await first.send('DELETE', 'session/provider')).status).toBe(200)
    expect(await signInAs('first')).toMatchObject(failedBy('nobody'))
  })

  it('links only with a fresh proof, and while the session that asked is open', async () => {
    await addUser(gateway, 'slow', 'operator')
    const user = await signedIn(gateway, 'slow')
    const { url, trip } = awayBy(await user.send('POST', 'session/provider', {}))
    await user.send('DELETE', 'session')
    expect(await comeBack(await provider.person(url, 'slow'), trip)).toMatchObject(failedBy('over'))
    const again = await signedIn(gateway, 'slow')
    gateway.advance(11 * 60_000)
    expect((await again.send('POST', 'session/provider', {})).body).toMatchObject({ error: 'PROOF_NEEDED' })
  })

  it('whose password an admin resets is linked no more', async () => {
    await linked('reset')
    await addUser(gateway, 'admin', 'platform_admin')
    await (await signedIn(gateway, 'admin')).send('PUT', 'users/reset', { reset_password: true })
    expect(await signInAs('reset')).toMatchObject(failedBy('nobody'))
  })
})

describe('the second factor', () => {
  it('is asked for after the provider too, counts wrong codes, and each code once', async () => {
    const user = await linked('careful')
    const { secret } = (await user.send('POST', 'session/totp', { password: PASSWORD })).body
    const code = (): string =>
      new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: gateway.world.now().getTime() })
    await user.send('PUT', 'session/totp', { code: code() })
    gateway.advance(60_000)
    const back = await signInAs('careful')
    expect(back).toMatchObject(failedBy('second'))
    const client = consoleClient(gateway.demo.baseUrl, back.trip)
    expect((await client.send('POST', 'provider/second', {})).body).toMatchObject({
      error: 'TOTP_REQUIRED',
      second_factor: { totp: true, passkey: null },
    })
    expect((await client.send('POST', 'provider/second', { totp: '000000' })).body).toMatchObject({
      error: 'SIGN_IN_FAILED',
    })
    const done = await client.send('POST', 'provider/second', { totp: code() })
    expect(done).toMatchObject({ status: 200, body: { username: 'careful' } })
    expect(await sessionOf(cookieIn(done, 'acopay_console'))).toMatchObject({ username: 'careful' })
    expect((await client.send('POST', 'provider/second', { totp: code() })).body).toMatchObject({
      error: 'SIGN_IN_FIRST',
    })
    gateway.advance(60_000)
    const other = consoleClient(gateway.demo.baseUrl, (await signInAs('careful')).trip)
    for (let guess = 0; guess < 5; guess += 1) await other.send('POST', 'provider/second', { totp: `00000${guess}` })
    expect((await other.send('POST', 'provider/second', { totp: code() })).body).toMatchObject({
      error: 'SIGN_IN_FAILED',
    })
    gateway.advance(61_000)
    expect((await other.send('POST', 'provider/second', { totp: code() })).status).toBe(200)
  })

  it('lets one session begin for one way back, also when it is given twice at the same moment', async () => {
    const user = await linked('hasty')
    const { secret } = (await user.send('POST', 'session/totp', { password: PASSWORD })).body
    const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: gateway.world.now().getTime() })
    const codes: string[] = (await user.send('PUT', 'session/totp', { code })).body.recovery_codes
    const client = consoleClient(gateway.demo.baseUrl, (await signInAs('hasty')).trip)
    const both = codes.slice(0, 2).map((totp) => client.send('POST', 'provider/second', { totp }))
    const answers = await Promise.all(both)
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
  })

  it('is set up first where the role needs one', async () => {
    await addUser(gateway, 'treasurer', 'finance')
    const user = await signedIn(gateway, 'treasurer')
    expect((await user.send('POST', 'session/provider', {})).body).toMatchObject({ error: 'TOTP_FIRST' })
    await gateway.database.pool.query(
      `insert into console_provider_link (issuer, subject, username, linked_at) values ($1, 'treasurer', 'treasurer', now())`,
      [provider.issuer],
    )
    expect(await sessionOf((await signInAs('treasurer')).session)).toMatchObject({ must_turn_totp_on: true })
  })
})

describe('a way back', () => {
  beforeAll(() => linked('li'))

  it('is good once, in the browser that left, and for ten minutes', async () => {
    const { url, trip } = await leave()
    const back = await provider.person(url, 'li')
    expect(await comeBack(back, '')).toMatchObject(failedBy('over'))
    expect(await comeBack(back, 'acopay_trip=of-nobody')).toMatchObject(failedBy('over'))
    const other = await leave()
    expect(await comeBack(back, other.trip)).toMatchObject(failedBy('refused'))
    expect((await comeBack(back, trip)).session).not.toBe('')
    expect(await comeBack(back, trip)).toMatchObject(failedBy('over'))
    const late = await leave()
    gateway.advance(600_000)
    expect(await comeBack(await provider.person(late.url, 'li'), late.trip)).toMatchObject(failedBy('over'))
  })

  it('takes no code of another trip: the code verifier is that of the browser', async () => {
    const [one, two] = [await leave(), await leave()]
    const ofOne = new URL(await provider.person(one.url, 'li'))
    const mixed = new URL(await provider.person(two.url, 'li'))
    mixed.searchParams.set('code', ofOne.searchParams.get('code') ?? '')
    expect(await comeBack(mixed.href, two.trip)).toMatchObject(failedBy('refused'))
  })

  it.each([
    ['of another issuer', { claims: { iss: 'https://evil.example' } }],
    ['for another client', { claims: { aud: 'another-client' } }],
    ['with the nonce of another browser', { claims: { nonce: 'x'.repeat(43) } }],
    ['that has ended', { claims: { exp: 1_600_000_000 } }],
    ['without a subject', { claims: { sub: '' } }],
    ['with a subject that no standard allows', { claims: { sub: 'x\u0000' } }],
    ['with a subject that is too long', { claims: { sub: 'x'.repeat(256) } }],
    ['whose signature does not fit', { token: (token: string) => `${token.slice(0, -8)}AAAAAAAA` }],
    [
      'without a signature',
      { token: (token: string) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.` },
    ],
  ])('with an ID token %s is refused', async (_what, lie) => {
    provider.lie(lie)
    expect(await signInAs('li')).toMatchObject(failedBy('refused'))
  })

  it('names another issuer in its address, and is refused', async () => {
    const { url, trip } = await leave()
    const back = new URL(await provider.person(url, 'li'))
    back.searchParams.set('iss', 'https://evil.example')
    expect(await comeBack(back.href, trip)).toMatchObject(failedBy('refused'))
  })

  it('says so where the person did not go on', async () => {
    const { url, trip } = await leave()
    expect(await comeBack(await provider.person(url, 'li', 'abort'), trip)).toMatchObject(failedBy('denied'))
  })

  it('leads to pages of ours only, whatever its address says', async () => {
    for (const more of ['next=https://evil.example', 'redirect_uri=//evil.example', 'provider=https://evil.example']) {
      const { url, trip } = await leave()
      const back = await comeBack(`${await provider.person(url, 'li')}&${more}`, trip)
      expect(back.to, more).toMatch(/^\/console\/overview(\?provider=[a-z]+)?$/)
    }
    for (const query of [
      '',
      '?',
      '?state=%00',
      '?code=a&code=b&state=a',
      '?error=x&state=y',
      `?code=${'x'.repeat(9000)}`,
    ]) {
      const { trip } = await leave()
      const back = await comeBack(`${PUBLIC_URL}/console/provider/callback${query}`, trip)
      expect(back, query).toMatchObject(failedBy('refused'))
    }
  })

  it('begins a session of its own: one that somebody planted in the browser stays what it was', async () => {
    const planted = `acopay_console=${'0'.repeat(64)}`
    const { url, trip } = await leave()
    const back = await comeBack(await provider.person(url, 'li'), `${trip}; ${planted}`)
    expect(back.session).toMatch(/^acopay_console=[0-9a-f]{64}$/)
    expect(back.session).not.toBe(planted)
    expect(await sessionOf(planted)).toBeNull()
  })

  it('is in the log and the audit log without code, token or secret', async () => {
    const { url, trip } = await leave()
    const back = await provider.person(url, 'li')
    const { session } = await comeBack(back, trip)
    const { rows } = await gateway.database.pool.query('select action, username, detail, outcome from console_audit')
    expect(rows).toContainEqual(
      expect.objectContaining({ action: 'session.begin', username: 'li', detail: '{"by":"identity provider"}' }),
    )
    expect(rows).toContainEqual(
      expect.objectContaining({ action: 'session.provider_link', username: 'li', outcome: 'DONE' }),
    )
    const { rows: trips } = await gateway.database.pool.query('select t::text as trip from console_provider_trip t')
    const told = JSON.stringify([gateway.logged(), rows, trips])
    const { searchParams } = new URL(back)
    for (const secret of [
      searchParams.get('code'),
      searchParams.get('state'),
      CLIENT.secret,
      trip.split('=')[1],
      session.split('=')[1],
    ]) {
      expect(secret?.length).toBeGreaterThan(20)
      expect(told).not.toContain(secret)
    }
  })
})

describe('a provider', () => {
  /** A gateway of its own, which has not asked the provider yet. */
  const withWorld = async (env: Record<string, string>, run: (world: TestWorld) => Promise<void>): Promise<void> => {
    const world = await testWorld({
      env: {
        ACOPAY_PUBLIC_URL: PUBLIC_URL,
        ACOPAY_OIDC_ISSUER: provider.issuer,
        ACOPAY_OIDC_CLIENT_ID: CLIENT.id,
        ACOPAY_OIDC_CLIENT_SECRET: CLIENT.secret,
        ...env,
      },
    })
    try {
      await run(world)
    } finally {
      await world.stop()
    }
  }
  const begin = ({ demo }: TestWorld): Promise<Answer> => consoleClient(demo.baseUrl).send('POST', 'provider', {})

  it('that is down is said in plain words, keeps nobody with a password out, and is asked again', async () => {
    await withWorld({ ACOPAY_OIDC_ISSUER: 'http://127.0.0.1:9' }, async (world) => {
      const answer = await begin(world)
      expect(answer).toMatchObject({ status: 409, body: { error: 'CONFLICT' } })
      expect(answer.body.message.zh).toContain('请用密码登录')
      expect(answer.body.message.en).toContain('Sign in with your password')
      expect(answer.headers.getSetCookie()).toEqual([])
      await addUser(world, 'local', 'operator')
      expect((await signedIn(world, 'local')).session?.username).toBe('local')
      expect((await begin(world)).status).toBe(409)
      expect(world.logged()).toContainEqual(
        expect.objectContaining({ msg: 'identity provider failed', kind: 'unreachable' }),
      )
    })
  })

  it('is the only one that is called: endpoints at other hosts, and redirections, are refused', async () => {
    const said = await fetch(`${provider.issuer}/.well-known/openid-configuration`)
    const metadata = (await said.json()) as Record<string, unknown>
    for (const field of ['token_endpoint', 'jwks_uri']) {
      provider.answer('/.well-known/openid-configuration', { ...metadata, [field]: 'http://localhost:9/elsewhere' })
      await withWorld({}, async (world) => {
        expect((await begin(world)).status, field).toBe(409)
        expect(world.logged()).toContainEqual(
          expect.objectContaining({ kind: 'refused', code: 'an endpoint of another host: http://localhost:9' }),
        )
      })
    }
    provider.answer('/.well-known/openid-configuration', { ...metadata, issuer: 'https://evil.example' })
    await withWorld({}, async (world) => expect((await begin(world)).status).toBe(409))
    provider.answer('/.well-known/openid-configuration', null)
    expect(new Set(provider.called())).toEqual(new Set(['/.well-known/openid-configuration', '/token', '/jwks']))
  })

  it('that does not know our secret is refused, and nobody gets in', async () => {
    await withWorld({ ACOPAY_OIDC_CLIENT_SECRET: 'not-the-secret-of-this' }, async (world) => {
      const { url, trip } = awayBy(await begin(world))
      const back = await provider.person(url, 'li')
      const response = await fetch(back.replace(PUBLIC_URL, world.demo.baseUrl), {
        headers: { cookie: trip },
        redirect: 'manual',
      })
      expect(response.headers.get('location')).toBe('/console/overview?provider=refused')
      expect(world.logged()).toContainEqual(
        expect.objectContaining({ kind: 'refused', code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' }),
      )
    })
  })

  it('is not offered where there is none', async () => {
    const world = await testWorld()
    try {
      expect((await consoleClient(world.demo.baseUrl).get('provider')).body).toBeNull()
      expect((await begin(world)).status).toBe(404)
      await addUser(world, 'local', 'operator')
      const local = await signedIn(world, 'local')
      expect((await local.get('session/provider')).body).toEqual({ name: null, linked_at: null })
      expect((await local.send('POST', 'session/provider', {})).status).toBe(404)
    } finally {
      await world.stop()
    }
  })

  it('is asked from our own pages only', async () => {
    const ask = (headers: Record<string, string>) =>
      consoleClient(gateway.demo.baseUrl).send('POST', 'provider', {}, headers)
    expect((await ask({ 'content-type': 'text/plain' })).status).toBe(400)
    expect((await ask({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  })
})
