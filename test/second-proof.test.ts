/**
 * When an open session of the console is not enough: keys, accounts, users and large refunds need a proof of the last ten minutes, a
 * role may need an authenticator (or a passkey: passkeys.test.ts), and recovery codes stand in for one that was lost.
 */
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { beginSession } from '../apps/server/src/actions/console/session.ts'
import { addUser, type ConsoleClient, consoleClient, PASSWORD } from './support/console.ts'
import { openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const MINUTE = 60_000

let gateway: TestWorld
beforeAll(async () => {
  gateway = await testWorld({ env: { ACOPAY_TOTP_ROLES: 'finance', ACOPAY_SECOND_PERSON_ABOVE: '2000.00' } })
  await addUser(gateway, 'admin', 'platform_admin')
  await addUser(gateway, 'operator', 'operator')
  await addUser(gateway, 'keeper', 'finance')
})
afterAll(() => gateway.stop())

/** Signed in without a password to check, which takes its time. */
async function signedIn({ world, demo }: TestWorld, username: string): Promise<ConsoleClient> {
  const cookie = `acopay_console=${await beginSession(world, username, '127.0.0.1')}`
  const { body } = await consoleClient(demo.baseUrl, cookie).get('session')
  return consoleClient(demo.baseUrl, cookie, body)
}

const codeOf = (secret: string): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: gateway.world.now().getTime() })

/** Turns an authenticator on; each code counts once, so the clock moves on to the next one. */
async function turnTotpOn(who: ConsoleClient): Promise<{ secret: string; recovery: string[] }> {
  const { secret } = (await who.send('POST', 'session/totp', { password: PASSWORD })).body
  const { body } = await who.send('PUT', 'session/totp', { code: codeOf(secret) })
  gateway.advance(MINUTE)
  return { secret, recovery: body.recovery_codes }
}

/** A call of each kind that needs a proof, each wrong in some other way, so that nothing changes. */
const NEEDY: ['POST' | 'PUT' | 'DELETE', string][] = [
  ['POST', 'merchants/MCH1000000/keys'],
  ['DELETE', 'merchants/MCH1000000/keys/NOKEY'],
  ['PUT', 'merchants/MCH1000000/channels/wechat'],
  ['POST', 'users'],
  ['PUT', 'users/nobody'],
]

const answersTo = async (who: ConsoleClient): Promise<(string | number)[]> => {
  const answers: (string | number)[] = []
  for (const [method, path] of NEEDY) {
    const { status, body } = await who.send(method, path, method === 'DELETE' ? undefined : {})
    answers.push(body.error === 'PROOF_NEEDED' ? `${status} PROOF_NEEDED` : status)
  }
  return answers
}

const OF_THEIR_OWN = [400, 404, 400, 400, 404]
const PROOF_NEEDED = NEEDY.map(() => '403 PROOF_NEEDED')

describe('an open session', () => {
  it('ten minutes after the sign-in an open session may not do what needs a proof, and may after one', async () => {
    const admin = await signedIn(gateway, 'admin')
    gateway.advance(10 * MINUTE - 1)
    expect(await answersTo(admin)).toEqual(OF_THEIR_OWN)
    gateway.advance(1)
    expect(await answersTo(admin)).toEqual(PROOF_NEEDED)
    // What changes nothing, or little, needs none.
    expect((await admin.get('users')).status).toBe(200)
    expect((await admin.send('PUT', 'merchants/MCH1000000', { allowed_ips: [] })).status).toBe(200)
    const wrong = await admin.send('POST', 'session/proof', { password: 'not the password' })
    expect([wrong.status, wrong.body.field]).toEqual([400, 'password'])
    expect(await answersTo(admin)).toEqual(PROOF_NEEDED)
    expect((await admin.send('POST', 'session/proof', { password: PASSWORD })).status).toBe(200)
    gateway.advance(10 * MINUTE - 1)
    expect(await answersTo(admin)).toEqual(OF_THEIR_OWN)
  })

  it('of one browser is not proven by another one of the same user', async () => {
    const [one, other] = [await signedIn(gateway, 'admin'), await signedIn(gateway, 'admin')]
    gateway.advance(10 * MINUTE)
    await other.send('POST', 'session/proof', { password: PASSWORD })
    expect([await answersTo(one), await answersTo(other)]).toEqual([PROOF_NEEDED, OF_THEIR_OWN])
  })

  it('leaves a line in the audit log for each proof, also for one in vain', async () => {
    const { rows } = (await (await signedIn(gateway, 'admin')).get('audit')).body
    const proofs = rows.filter(({ action }: { action: string }) => action === 'session.prove')
    expect(proofs.map(({ outcome }: { outcome: string }) => outcome).toSorted()).toEqual([
      'DONE',
      'DONE',
      'FIELD_INVALID',
    ])
  })

  it('a refund above the amount needs a proof, one of the amount itself does not', async () => {
    const { demo } = gateway
    const order = await place(demo, { amount_total: '5000.00' })
    await pay(demo, order, (await openAttempt(demo, order)) ?? '')
    const operator = await signedIn(gateway, 'operator')
    gateway.advance(10 * MINUTE)
    let asked = 0
    const refund = (amount: unknown) => {
      asked += 1
      const mch_refund_no = `refund-number-${asked}-01234567890`
      const body = { mch_refund_no, amount, reason: '退货' }
      return operator.send('POST', `orders/${demo.mchNo}/${order}/refunds`, body)
    }
    expect((await refund('1000.00')).status).toBe(200)
    expect((await refund('1000.01')).body.error).toBe('PROOF_NEEDED')
    // What is no amount is no large one, and refused for what it is.
    for (const odd of ['9999999.00', '1e9', 5000]) {
      expect((await refund(odd)).body, String(JSON.stringify(odd))).toMatchObject({ error: 'FIELD_INVALID' })
    }
    await operator.send('POST', 'session/proof', { password: PASSWORD })
    expect((await refund('1000.01')).status).toBe(200)
  })
})

describe('a refund above a second amount', () => {
  // The tests before asked for some too.
  beforeEach(() => gateway.database.pool.query('delete from refund_request'))
  const paidOrder = async (amount_total: string): Promise<string> => {
    const order = await place(gateway.demo, { amount_total })
    await pay(gateway.demo, order, (await openAttempt(gateway.demo, order)) ?? '')
    return order
  }
  const refundsOf = async (order: string) =>
    (await gateway.database.pool.query('select amount_fen from refund where transaction_no = $1', [order])).rows.map(
      ({ amount_fen }) => Number(amount_fen),
    )

  it('waits for another user, who confirms it once; nobody confirms their own', async () => {
    const { mchNo } = gateway.demo
    const [admin, operator] = [await signedIn(gateway, 'admin'), await signedIn(gateway, 'operator')]
    const order = await paidOrder('5000.00')
    const ask = (of: ConsoleClient, number: string, amount: string, reason = 'returned') =>
      of.send('POST', `orders/${mchNo}/${order}/refunds`, { mch_refund_no: number.padEnd(24, '0'), amount, reason })
    const numbers = { small: 'small', large: 'large'.padEnd(24, '0'), other: 'other'.padEnd(24, '0') }
    expect((await ask(admin, numbers.small, '2000.00')).body.state).not.toBe('WAITING')
    // Said again it is told again. No more of the order goes back by one person, also not in small parts.
    expect((await ask(admin, numbers.small, '2000.00')).body.refund_no).toMatch(/^AR/)
    expect((await ask(admin, 'part', '0.01')).body.state).toBe('WAITING')
    await admin.send('DELETE', `refund-requests/${mchNo}/${'part'.padEnd(24, '0')}`)
    expect(await refundsOf(order)).toEqual([200_000])

    const waiting = { status: 200, body: { refund_no: null, state: 'WAITING' } }
    expect(await ask(admin, numbers.large, '2000.01')).toMatchObject(waiting)
    // Said again it is the same request; another amount, or another user, is not.
    expect(await ask(admin, numbers.large, '2000.01')).toMatchObject(waiting)
    for (const differs of [ask(admin, numbers.large, '2000.02'), ask(operator, numbers.large, '2000.01')]) {
      expect((await differs).status).toBe(409)
    }
    expect(await refundsOf(order)).toEqual([200_000])
    const row = {
      ...{ mch_no: mchNo, transaction_no: order, mch_refund_no: numbers.large, amount: '2000.01', reason: 'returned' },
      ...{ asked_by: 'admin', asked_at: gateway.world.now().toISOString() },
    }
    expect((await admin.get('refund-requests')).body).toEqual({ rows: [{ ...row, is_own: true }], next: null })
    expect((await operator.get('refund-requests')).body).toEqual({ rows: [{ ...row, is_own: false }], next: null })

    const path = `refund-requests/${mchNo}/${numbers.large}`
    const own = await admin.send('POST', path)
    expect([own.status, own.body.message.zh]).toEqual([409, '须由另一人复核，不能确认自己的申请'])
    expect(await refundsOf(order)).toEqual([200_000])
    // Twice at the same moment, it is one refund; the second may find that nothing waits any more.
    const both = await Promise.all([operator.send('POST', path), operator.send('POST', path)])
    expect(both.filter(({ status }) => status !== 404).map(({ body }) => body.refund_no)).toContainEqual(
      expect.stringMatching(/^AR/),
    )
    expect(both.filter(({ status }) => ![200, 404].includes(status))).toEqual([])
    expect(await refundsOf(order)).toEqual([200_000, 200_001])
    expect((await operator.send('POST', path)).status).toBe(404)
    expect((await admin.get('refund-requests')).body.rows).toEqual([])
  })

  it('may not be cut into parts, also when these are asked for in one moment', async () => {
    const { mchNo } = gateway.demo
    const admin = await signedIn(gateway, 'admin')
    const order = await paidOrder('5000.00')
    const numbers = Array.from({ length: 8 }, (_, part) => `part${part}`.padEnd(24, '0'))
    const parts = numbers.map((mch_refund_no) =>
      admin.send('POST', `orders/${mchNo}/${order}/refunds`, { mch_refund_no, amount: '600.00', reason: 'x' }),
    )
    const states = (await Promise.all(parts)).map(({ body }) => body.state).sort()
    expect(states).toEqual([...Array(3).fill('SUCCESS'), ...Array(5).fill('WAITING')])
    expect(await refundsOf(order)).toEqual([60_000, 60_000, 60_000])
    for (const number of numbers) await admin.send('DELETE', `refund-requests/${mchNo}/${number}`)
  })

  it('that cannot be made is refused at once; a request that cannot be made any more stays, until somebody gives it up', async () => {
    const { mchNo } = gateway.demo
    const [admin, operator] = [await signedIn(gateway, 'admin'), await signedIn(gateway, 'operator')]
    const order = await paidOrder('3000.00')
    const mch_refund_no = 'too-much'.padEnd(24, '0')
    const ask = (number: string, amount: string) =>
      admin.send('POST', `orders/${mchNo}/${order}/refunds`, { mch_refund_no: number, amount, reason: 'x' })
    expect((await ask(mch_refund_no, '3000.01')).status).toBe(409)
    expect((await ask(mch_refund_no, '2500.00')).body).toMatchObject({ state: 'WAITING' })
    expect((await ask('before-it'.padEnd(24, '0'), '600.00')).body).toMatchObject({ state: 'SUCCESS' })
    const path = `refund-requests/${mchNo}/${mch_refund_no}`
    expect((await operator.send('POST', path)).status).toBe(409)
    expect((await operator.get('refund-requests')).body.rows).toHaveLength(1)
    expect((await operator.send('DELETE', path)).status).toBe(200)
    expect((await operator.send('DELETE', path)).status).toBe(404)
    expect(await refundsOf(order)).toEqual([60_000])
  })

  it('is listed page by page, the oldest first', async () => {
    const { mchNo } = gateway.demo
    const admin = await signedIn(gateway, 'admin')
    const order = await paidOrder('9000.00')
    const numbers = ['one', 'two', 'three'].map((number) => number.padEnd(24, '0'))
    for (const mch_refund_no of numbers) {
      await admin.send('POST', `orders/${mchNo}/${order}/refunds`, { mch_refund_no, amount: '2000.01', reason: 'x' })
      gateway.advance(1)
    }
    const first = (await admin.get('refund-requests?limit=2')).body
    const second = (await admin.get(`refund-requests?limit=2&after=${first.next}`)).body
    const shown = [...first.rows, ...second.rows].map((row: { mch_refund_no: string }) => row.mch_refund_no)
    expect([shown, second.next]).toEqual([numbers, null])
    expect((await admin.get('refund-requests?after=x')).body).toMatchObject({ field: 'after' })
    expect((await admin.get('refund-requests?mch_no=NOBODY')).body.rows).toEqual([])
    for (const number of numbers) await admin.send('DELETE', `refund-requests/${mchNo}/${number}`)
  })
})

describe('an authenticator', () => {
  it('is asked for at a proof, and each code counts once', async () => {
    const admin = await signedIn(gateway, 'admin')
    const { secret } = await turnTotpOn(admin)
    gateway.advance(10 * MINUTE)
    const prove = async (code?: string) =>
      (await admin.send('POST', 'session/proof', { password: PASSWORD, ...(code === undefined ? {} : { code }) })).body
    expect(await prove()).toMatchObject({ field: 'code' })
    expect(await prove('000000')).toMatchObject({ field: 'code' })
    const code = codeOf(secret)
    expect(await prove(code)).toEqual({})
    expect(await prove(code)).toMatchObject({ field: 'code' })
    gateway.advance(MINUTE)
    await admin.send('DELETE', 'session/totp', { password: PASSWORD, code: codeOf(secret) })
  })

  it('a role that needs an authenticator sees nothing before it has one', async () => {
    const keeper = await signedIn(gateway, 'keeper')
    expect((await keeper.get('session')).body).toMatchObject({ must_turn_totp_on: true, totp_enabled: false })
    for (const path of ['orders', 'overview', 'bills', 'audit']) {
      const { status, body } = await keeper.get(path)
      expect([path, status, body.error]).toEqual([path, 403, 'TOTP_FIRST'])
    }
    // A proof, which the first passkey needs, opens nothing else.
    expect((await keeper.send('POST', 'session/proof', { password: PASSWORD })).status).toBe(200)
    expect((await keeper.get('orders')).body.error).toBe('TOTP_FIRST')
    expect((await signedIn(gateway, 'operator')).session).toMatchObject({ must_turn_totp_on: false })
    await turnTotpOn(keeper)
    expect((await keeper.get('orders')).status).toBe(200)
    expect((await keeper.get('session')).body).toMatchObject({ must_turn_totp_on: false, totp_enabled: true })
  })

  it('ten codes take the place of a lost authenticator, each once', async () => {
    const operator = await signedIn(gateway, 'operator')
    const { secret, recovery } = await turnTotpOn(operator)
    expect(recovery).toHaveLength(10)
    expect(new Set(recovery).size).toBe(10)
    for (const code of recovery) expect(code).toMatch(/^[A-HJ-NP-Z2-9]{6}-[A-HJ-NP-Z2-9]{6}$/)
    const { pool } = gateway.database
    const stored = JSON.stringify((await pool.query('select code_hash::text from console_recovery_code')).rows)
    expect(stored).not.toContain(recovery[0])

    const signIn = async (totp: string) =>
      (
        await consoleClient(gateway.demo.baseUrl).send('POST', 'session', {
          username: 'operator',
          password: PASSWORD,
          totp,
        })
      ).status
    const [first = '', second = ''] = recovery
    expect([await signIn(first), await signIn(first)]).toEqual([200, 401])
    expect(await signIn(second.toLowerCase().replace('-', ' '))).toBe(200)
    expect(await signIn('AAAAAA-AAAAAA')).toBe(401)
    // Another user's, and a code of the authenticator itself.
    const keeper = await pool.query(`select from console_recovery_code where username = 'keeper'`)
    expect(keeper.rowCount).toBe(10)
    expect(await signIn(codeOf(secret))).toBe(200)
    // New codes with a new authenticator: the old ones are void.
    gateway.advance(MINUTE)
    await operator.send('DELETE', 'session/totp', { password: PASSWORD, code: codeOf(secret) })
    gateway.advance(MINUTE)
    await turnTotpOn(operator)
    expect(await signIn(recovery[2] ?? '')).toBe(401)
  })
})
