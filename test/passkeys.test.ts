/** Passkeys of the console's users, with an authenticator in software: what signs in, what proves, and what does neither. */

import { generateKeyPairSync, randomBytes, scryptSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import type { Role } from '@acopay/protocol/console'
import { addConsoleUser } from '@acopay/store/console'
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { beginSession } from '../apps/server/src/actions/console/session.ts'
import { consoleUser } from '../apps/server/src/commands/console-user.ts'
import { authenticator, cbor, type Odd } from './support/authenticator.ts'
import { type ConsoleClient, consoleClient, PASSWORD } from './support/console.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const MINUTE = 60_000
const SITE = { origin: 'https://pay.example.com', rpId: 'pay.example.com' }

let gateway: TestWorld
beforeAll(async () => {
  const env = { ACOPAY_PUBLIC_URL: SITE.origin, ACOPAY_SANDBOX_EXPOSED: 'yes', ACOPAY_TOTP_ROLES: 'finance' }
  gateway = await testWorld({ env })
  await add('admin', 'platform_admin')
})
afterAll(() => gateway.stop())

/** Refused tries lock a name after five. Each test has tries of its own. */
beforeEach(() => sql('delete from console_sign_in'))

/** A hash that takes a thousandth of the time, since a password is checked here for every passkey. */
const CHEAP = ['scrypt', 2, 8, 1, 'AAAA', scryptSync(PASSWORD, Buffer.alloc(3), 32, { N: 2 }).toString('base64')].join(
  ':',
)

const add = (username: string, role: Role) =>
  addConsoleUser(
    gateway.database.pool,
    { username, role, mchNo: null, mustChangePassword: false, passwordHash: CHEAP },
    gateway.world.now(),
  )

const sql = async (text: string, values: unknown[] = []) => (await gateway.database.pool.query(text, values)).rows

/** Signed in without a password to check, which takes its time. */
async function signedIn(username: string): Promise<ConsoleClient> {
  const { world, demo } = gateway
  const cookie = `__Host-acopay_console=${await beginSession(world, username, '127.0.0.1')}`
  const { body } = await consoleClient(demo.baseUrl, cookie).get('session')
  return consoleClient(demo.baseUrl, cookie, body)
}

let users = 0
/** A user of their own for a test. */
async function newUser(role: 'operator' | 'finance' = 'operator'): Promise<{ username: string; who: ConsoleClient }> {
  users += 1
  const username = `user-${users}`
  await add(username, role)
  return { username, who: await signedIn(username) }
}

type Authenticator = ReturnType<typeof authenticator>

const challengeFor = async (who: ConsoleClient) => (await who.send('POST', 'passkey-challenge', {})).body

async function register(who: ConsoleClient, own: Authenticator = authenticator(SITE), odd: Odd = {}, name = 'a key') {
  const answer = await who.send('POST', 'passkeys', { name, passkey: own.register(await challengeFor(who), odd) })
  return { own, answer }
}

/** The first step of a sign-in, and the second with what is made of the first one's answer. */
const visit = (username: string, more: object = {}, password = PASSWORD) =>
  consoleClient(gateway.demo.baseUrl).send('POST', 'session', { username, password, ...more })
const optionsFor = async (username: string) => (await visit(username)).body.second_factor.passkey

const proofOptions = async (who: ConsoleClient) => (await who.send('POST', 'session/proof/challenge', {})).body
const prove = async (who: ConsoleClient, passkey: object) => {
  const { status, body } = await who.send('POST', 'session/proof', { password: PASSWORD, passkey })
  return status === 200 ? 'proven' : `${status} ${body.field ?? body.error}`
}

const alarms = () => gateway.logged().filter(({ alarm }) => alarm === true)
const whys = (from: number) =>
  gateway
    .logged()
    .slice(from)
    .flatMap(({ msg, why }) => (msg === 'passkey refused' ? [String(why)] : []))

describe('a sign-in', () => {
  it('takes a passkey after the password, each signature once', async () => {
    const { username, who } = await newUser()
    expect((await who.get('session')).body).toMatchObject({ passkeys: 0, may_use_passkeys: true })
    expect((await visit(username)).status).toBe(200)
    const { own, answer } = await register(who, undefined, {}, '办公室的安全密钥')
    expect(answer.status).toBe(200)
    const [row] = (await who.get('passkeys')).body.rows
    const at = gateway.world.now().toISOString()
    expect(row).toEqual({ id: expect.any(String), name: '办公室的安全密钥', created_at: at, used_at: null })

    const asked = await visit(username)
    expect([asked.status, asked.body.error, asked.body.second_factor]).toEqual([
      401,
      'TOTP_REQUIRED',
      { totp: false, passkey: expect.objectContaining({ rpId: SITE.rpId, userVerification: 'preferred' }) },
    ])
    const options = asked.body.second_factor.passkey
    expect(options.allowCredentials).toEqual([{ id: own.id, transports: ['usb'], type: 'public-key' }])
    gateway.advance(MINUTE)
    const passkey = own.sign(options)
    const both = await Promise.all([visit(username, { passkey }), visit(username, { passkey })])
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 401])
    expect((await visit(username, { passkey })).body.error).toBe('SIGN_IN_FAILED')
    expect((await who.get('passkeys')).body.rows[0].used_at).toBe(gateway.world.now().toISOString())
  })

  it('with a passkey and a wrong password is told nothing else than without one, and uses up no challenge', async () => {
    const { username, who } = await newUser()
    const { own } = await register(who)
    const passkey = own.sign(await optionsFor(username))
    const wrong = await visit(username, { passkey }, 'not the password')
    const stranger = await visit('nobody-here', { passkey }, 'not the password')
    expect([wrong.status, wrong.body]).toEqual([stranger.status, stranger.body])
    expect(JSON.stringify((await visit(username, {}, 'not the password')).body)).not.toContain('second_factor')
    expect((await visit(username, { passkey })).status).toBe(200)
  })

  it('with a passkey counts as one in vain until it is right, as with a code', async () => {
    const { username, who } = await newUser()
    const { own } = await register(who)
    const options = await optionsFor(username)
    const passkey = own.sign(await optionsFor(username))
    for (let more = 0; more < 3; more += 1)
      await visit(username, { passkey: own.sign(options, { origin: 'https://x' }) })
    // The name is locked now, also for the right one.
    expect((await visit(username, { passkey })).status).toBe(401)
    gateway.advance(MINUTE + 1)
    expect((await visit(username, { passkey })).status).toBe(200)
    expect(await sql('select from console_sign_in where username = $1', [username])).toEqual([])
  })

  it('is refused a challenge that is five minutes old, and takes one a millisecond younger', async () => {
    const { username, who } = await newUser()
    const { own } = await register(who)
    const [young, old] = [await optionsFor(username), await optionsFor(username)]
    gateway.advance(5 * MINUTE - 1)
    expect((await visit(username, { passkey: own.sign(young) })).status).toBe(200)
    gateway.advance(1)
    expect((await visit(username, { passkey: own.sign(old) })).status).toBe(401)
    // A sign-in forgets the challenges that have expired.
    await visit(username, { passkey: own.sign(await optionsFor(username)) })
    expect(await sql('select from console_challenge where expires_at <= $1', [gateway.world.now()])).toEqual([])
  })

  it('takes a code of the authenticator or a passkey where the user has both', async () => {
    const { username, who } = await newUser()
    const { own } = await register(who)
    const { secret } = (await who.send('POST', 'session/totp', { password: PASSWORD })).body
    const code = () =>
      new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: gateway.world.now().getTime() })
    await who.send('PUT', 'session/totp', { code: code() })
    gateway.advance(MINUTE)
    const { second_factor } = (await visit(username)).body
    expect(second_factor).toMatchObject({ totp: true, passkey: { rpId: SITE.rpId } })
    expect((await visit(username, { totp: code() })).status).toBe(200)
    expect((await visit(username, { passkey: own.sign(second_factor.passkey) })).status).toBe(200)
    // The authenticator goes, the passkey and the recovery codes stay.
    gateway.advance(MINUTE)
    expect((await who.send('DELETE', 'session/totp', { password: PASSWORD, code: code() })).status).toBe(200)
    expect((await who.get('session')).body).toMatchObject({ totp_enabled: false, passkeys: 1 })
    expect(await sql('select from console_recovery_code where username = $1', [username])).toHaveLength(10)
    expect((await visit(username, { totp: code() })).status).toBe(401)
  })
})

describe('a proof', () => {
  it('takes a passkey with the password, and neither of them alone', async () => {
    const { who } = await newUser()
    const { own } = await register(who)
    gateway.advance(10 * MINUTE)
    const begin = async () => (await who.send('POST', 'passkey-challenge', {})).body.error
    expect(await begin()).toBe('PROOF_NEEDED')
    const without = await who.send('POST', 'session/proof', { password: PASSWORD })
    expect([without.status, without.body.field]).toEqual([400, 'code'])
    const passkey = own.sign(await proofOptions(who))
    expect((await who.send('POST', 'session/proof', { passkey })).body.field).toBe('password')
    expect(await begin()).toBe('PROOF_NEEDED')
    expect(await prove(who, passkey)).toBe('proven')
    expect(await begin()).toBeUndefined()
  })

  it('is refused everything but an own passkey that signs this challenge for this page, and says why in the log', async () => {
    const { username, who } = await newUser()
    const { own } = await register(who)
    const other = await newUser()
    const { own: others } = await register(other.who)
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const from = gateway.logged().length
    const rows: [what: string, answer: () => Promise<object>][] = [
      ['another origin', async () => own.sign(await proofOptions(who), { origin: 'https://evil.example.com' })],
      ['another host', async () => own.sign(await proofOptions(who), { rpId: 'evil.example.com' })],
      ['another key', async () => own.sign(await proofOptions(who), { key: privateKey })],
      ['nobody present', async () => own.sign(await proofOptions(who), { flags: 0 })],
      ['a registration', async () => own.sign(await proofOptions(who), { type: 'webauthn.create' })],
      ['a challenge of a sign-in', async () => own.sign(await optionsFor(username))],
      ['a challenge of a registration', async () => own.sign(await challengeFor(who))],
      ["another user's challenge", async () => own.sign(await proofOptions(other.who))],
      ["another user's passkey", async () => others.sign(await proofOptions(who))],
      ['a challenge of its own', async () => own.sign({ challenge: randomBytes(32).toString('base64url') })],
      ['no challenge', async () => own.sign({} as { challenge: string })],
    ]
    const said: [string, string][] = []
    for (const [what, answer] of rows) {
      await sql('delete from console_sign_in')
      said.push([what, await prove(who, await answer())])
    }
    expect(said).toEqual(rows.map(([what]) => [what, '400 passkey']))
    expect(whys(from)).toEqual([
      expect.stringContaining('origin'),
      expect.stringContaining('RP ID'),
      'the signature does not verify',
      expect.stringContaining('not present'),
      expect.stringContaining('type'),
    ])
    expect(alarms()).toEqual([])
    await sql('delete from console_sign_in')
    expect(await prove(who, own.sign(await proofOptions(who)))).toBe('proven')
  })

  it('is refused a counter that does not grow, with an alarm, and takes one that does', async () => {
    const { username, who } = await newUser()
    const { own } = await register(who, undefined, { counter: 7 })
    const [{ id }] = (await who.get('passkeys')).body.rows
    const say = async (counter: number) => prove(who, own.sign(await proofOptions(who), { counter }))
    expect([await say(7), await say(6), await say(0), await say(8)]).toEqual([
      ...['400 passkey', '400 passkey', '400 passkey'],
      'proven',
    ])
    expect(
      alarms().map(({ level, time: _, pid: _pid, hostname: _host, requestId: _id, ...line }) => ({ level, ...line })),
    ).toEqual(
      [7, 6, 0].map((counter) => ({
        ...{ level: 50, username, passkey: id, counter, alarm: true },
        msg: 'the counter of a passkey went back: it may have been copied',
      })),
    )
    // An authenticator that does not count says 0 for good.
    const another = (await register(who, undefined, { counter: 0 })).own
    for (let time = 0; time < 2; time += 1) {
      expect(await prove(who, another.sign(await proofOptions(who), { counter: 0 }))).toBe('proven')
    }
  })

  it('of a copied passkey: the runbook passkey-counter ends its sessions, and takes a new passkey', async () => {
    const { username, who } = await newUser()
    const { own } = await register(who, undefined, { counter: 7 })
    expect(await prove(who, own.sign(await proofOptions(who), { counter: 3 }))).toBe('400 passkey')
    expect(alarms().at(-1)).toMatchObject({ username })
    const admin = await signedIn('admin')
    expect((await admin.get('audit?limit=5')).status).toBe(200)
    const env = { DATABASE_URL: gateway.database.connectionString }
    let said = ''
    const say = (line: string): void => {
      said += line
    }
    await consoleUser.run(['reset', username], { env, defaultHome: tmpdir(), say })
    expect((await who.get('passkeys')).status).toBe(401)
    const oneTime = said.split(': ').at(-1)
    const again = await visit(username, {}, oneTime)
    expect([again.status, again.body.passkeys]).toEqual([200, 0])
  })

  it('has ten open questions at most: the eleventh voids the first', async () => {
    const { username, who } = await newUser()
    const { own } = await register(who)
    const options: { challenge: string }[] = []
    for (let asked = 0; asked < 11; asked += 1) {
      gateway.advance(1)
      options.push(await proofOptions(who))
    }
    const count = await sql(`select from console_challenge where username = $1 and purpose = 'prove'`, [username])
    expect(count).toHaveLength(10)
    expect(await prove(who, own.sign(options[0] as { challenge: string }))).toBe('400 passkey')
    expect(await prove(who, own.sign(options[1] as { challenge: string }))).toBe('proven')
  })
})

describe('a registration', () => {
  it('is refused what another page or host made, what was used or is late, and what carries certificates', async () => {
    const { who } = await newUser()
    const add = async (passkey: object) => {
      const { status, body } = await who.send('POST', 'passkeys', { name: 'x', passkey })
      return status === 200 ? 'added' : `${status} ${body.field ?? body.error}`
    }
    const own = authenticator(SITE)
    const made = async (odd: Odd) => own.register(await challengeFor(who), odd)
    const certificates = new Map<string, unknown>([
      ['alg', -7],
      ['sig', Buffer.alloc(8)],
      ['x5c', [Buffer.alloc(8)]],
    ])
    const old = await challengeFor(who)
    gateway.advance(5 * MINUTE)
    const from = gateway.logged().length
    const said = [
      await add(own.register(old)),
      await add(await made({ origin: 'https://evil.example.com' })),
      await add(await made({ rpId: 'evil.example.com' })),
      await add(await made({ type: 'webauthn.get' })),
      await add(await made({ attestation: ['packed', certificates] })),
      await add(await made({ attestation: ['fido-u2f', certificates] })),
      await add({ ...(await made({})), response: { ...(await made({})).response, attestationObject: 'AAAA' } }),
      await add({ id: own.id, response: { clientDataJSON: 'bnVsbA', attestationObject: 'AAAA' } }),
      await add(own.register({ challenge: randomBytes(32).toString('base64url') })),
    ]
    expect(said).toEqual(said.map(() => '400 passkey'))
    expect(whys(from).filter((why) => why.includes('was not asked for'))).toHaveLength(2)
    const right = await made({})
    expect([await add(right), await add(right)]).toEqual(['added', '400 passkey'])
    expect((await who.get('session')).body.passkeys).toBe(1)
  })

  it('of a passkey that somebody has is refused, and so is the twenty-first', async () => {
    const [{ username, who }, other] = [await newUser(), await newUser()]
    const { own } = await register(who)
    for (const one of [who, other.who]) {
      const { answer } = await register(one, own)
      expect([answer.status, answer.body.message.en]).toEqual([409, 'This passkey is registered already'])
    }
    expect((await challengeFor(who)).excludeCredentials).toMatchObject([{ id: own.id }])
    await sql(
      `insert into console_passkey (credential_id, username, public_key, counter, transports, name, created_at)
       select int4send(n), username, public_key, 0, transports, 'one of many', created_at
         from console_passkey, generate_series(1, 18) n where username = $1`,
      [username],
    )
    expect((await register(who)).answer.status).toBe(200)
    expect((await register(who)).answer.body.error).toBe('CONFLICT')
    expect((await who.get('passkeys')).body.rows).toHaveLength(20)
  })

  it('reads a name of 64 characters and parts of 8192 characters, and names what is longer or unreadable', async () => {
    const { username, who } = await newUser()
    const own = authenticator(SITE)
    const x = (count: number): string => 'x'.repeat(count)
    const response = { clientDataJSON: 'x', attestationObject: 'x' }
    const rows: [body: object, field: string][] = [
      ...['', ' ', x(65), 'a\u0000', 5].map((name): [object, string] => [
        { name, passkey: { id: 'x', response } },
        'name',
      ]),
      ...[undefined, null, 'x', [], {}, { id: 'x' }, { id: 5, response }, { id: x(1365), response }].map(
        (passkey): [object, string] => [{ name: 'x', passkey }, 'passkey'],
      ),
    ]
    for (const [body, field] of rows) {
      const answer = await who.send('POST', 'passkeys', body)
      expect([JSON.stringify(body), answer.status, answer.body.field]).toEqual([JSON.stringify(body), 400, field])
    }
    const passkey = own.register(await challengeFor(who))
    expect((await who.send('POST', 'passkeys', { name: x(64), passkey })).status).toBe(200)
    // At a sign-in an unreadable one is a wrong field, before anything is looked up; a readable one is wrong.
    const right = own.sign(await optionsFor(username))
    for (const part of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
      const withPart = (text: unknown) => ({ passkey: { ...right, response: { ...right.response, [part]: text } } })
      for (const odd of [x(8193), 'a b', '', {}, null]) {
        expect((await visit('nobody-here', withPart(odd))).body).toMatchObject({ field: 'passkey' })
      }
    }
    const longest = { id: x(1364), response: { ...right.response, signature: x(8192) } }
    expect((await visit(username, { passkey: longest })).status).toBe(401)
  })

  it('a part of 8192 characters is read to its end', async () => {
    const { who } = await newUser()
    const own = authenticator(SITE)
    const { id, response } = own.register(await challengeFor(who))
    const object = (bytes: number) => ({
      id,
      response: {
        ...response,
        attestationObject: Buffer.concat([cbor('x'), Buffer.alloc(bytes)]).toString('base64url'),
      },
    })
    const from = gateway.logged().length
    expect((await who.send('POST', 'passkeys', { name: 'x', passkey: object(6142) })).body.field).toBe('passkey')
    expect(whys(from)).toHaveLength(1)
  })
})

describe('a user', () => {
  it('whose role needs a second factor gets in with a passkey alone, and with its recovery codes, each once', async () => {
    const { username, who } = await newUser('finance')
    expect((await who.get('session')).body).toMatchObject({ must_turn_totp_on: true })
    expect((await who.get('orders')).body.error).toBe('TOTP_FIRST')
    // Also who looked at this page for longer than a proof lasts.
    gateway.advance(10 * MINUTE)
    expect((await who.send('POST', 'passkey-challenge', {})).body.error).toBe('PROOF_NEEDED')
    expect((await who.send('POST', 'session/proof', { password: PASSWORD })).status).toBe(200)
    const { own, answer } = await register(who)
    const codes: string[] = answer.body.recovery_codes
    expect(new Set(codes).size).toBe(10)
    expect((await who.get('session')).body).toMatchObject({ must_turn_totp_on: false, passkeys: 1 })
    expect((await who.get('orders')).status).toBe(200)
    expect([await visit(username, { totp: codes[0] }), await visit(username, { totp: codes[0] })]).toMatchObject([
      { status: 200 },
      { status: 401 },
    ])
    // A second passkey leaves the codes as they are.
    gateway.advance(1)
    const second = await register(who)
    expect(second.answer.body).toEqual({ recovery_codes: null })

    const { rows } = (await who.get('passkeys')).body
    expect((await who.send('DELETE', `passkeys/${rows[0].id}`)).status).toBe(200)
    expect((await who.send('DELETE', `passkeys/${rows[0].id}`)).status).toBe(404)
    // The one that was removed signs nothing any more, the other one does.
    expect(await prove(who, own.sign(await proofOptions(who)))).toBe('400 passkey')
    expect(await prove(who, second.own.sign(await proofOptions(who)))).toBe('proven')
    expect((await who.get('orders')).status).toBe(200)
    await who.send('DELETE', `passkeys/${rows[1].id}`)
    expect((await who.get('orders')).body.error).toBe('TOTP_FIRST')
    expect(await sql('select from console_recovery_code where username = $1', [username])).toEqual([])
  })

  it("does not see, use or remove another user's passkeys", async () => {
    const [one, other] = [await newUser(), await newUser()]
    await register(one.who)
    const [{ id }] = (await one.who.get('passkeys')).body.rows
    expect((await other.who.get('passkeys')).body.rows).toEqual([])
    expect((await other.who.send('DELETE', `passkeys/${id}`)).status).toBe(404)
    expect((await other.who.send('POST', 'session/proof/challenge', {})).status).toBe(404)
    expect((await one.who.get('passkeys')).body.rows).toHaveLength(1)
  })

  it('who lost everything is let in again by an admin: the reset drops passkeys, codes and sessions', async () => {
    const { username, who } = await newUser()
    await register(who)
    const admin = await signedIn('admin')
    const row = async () => {
      const { rows } = (await admin.get('users')).body
      return rows.find((user: { username: string }) => user.username === username)
    }
    expect(await row()).toMatchObject({ passkeys: 1 })
    expect((await admin.send('PUT', `users/${username}`, { reset_totp: true })).body.user).toMatchObject({
      passkeys: 0,
    })
    expect((await who.get('passkeys')).status).toBe(401)
    for (const table of ['console_passkey', 'console_recovery_code']) {
      expect(await sql(`select from ${table} where username = $1`, [username])).toEqual([])
    }
    expect((await visit(username)).status).toBe(200)
    const [entry] = (await admin.get('audit')).body.rows.filter(
      ({ action }: { action: string }) => action === 'users.change',
    )
    expect(entry.changes).toMatchObject({ passkeys: { before: 1, after: 0 } })
  })

  it('leaves a line in the audit log for each passkey that came and went, and nothing secret', async () => {
    const { username, who } = await newUser()
    const { own, answer } = await register(who, undefined, {}, 'laptop')
    const [{ id }] = (await who.get('passkeys')).body.rows
    gateway.advance(1)
    await who.send('DELETE', `passkeys/${id}`)
    const { rows } = (await (await signedIn('admin')).get(`audit?username=${username}`)).body
    expect(rows).toMatchObject([
      {
        action: 'session.passkey_remove',
        subject: id,
        outcome: 'DONE',
        changes: { passkeys: { before: 1, after: 0 } },
      },
      {
        action: 'session.passkey_add',
        subject: 'laptop',
        outcome: 'DONE',
        changes: { passkeys: { before: 0, after: 1 } },
      },
    ])
    const all = JSON.stringify([rows, gateway.logged()])
    for (const secret of [own.id, answer.body.recovery_codes[0]]) expect(all).not.toContain(secret)
  })
})
