/** The console's API: who gets in, who may do what, and that what is done there is done as a merchant's own call does it. */
import { ALLOWED, type PERMISSIONS, ROLES } from '@acopay/protocol/console'
import { addApp, addMerchant } from '@acopay/store'
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { addUser, type ConsoleClient, consoleClient, PASSWORD, signedIn } from './support/console.ts'
import { forgeTimeline } from './support/forgery.ts'
import { openAttempt, pay, place, query } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
const as = {} as Record<(typeof ROLES)[number] | 'stranger', ConsoleClient>
beforeAll(async () => {
  gateway = await testWorld()
  const { world } = gateway
  await addMerchant(world.pool, { mchNo: 'MCH2', name: '别家商户' }, world.now())
  await addApp(world.pool, { mchNo: 'MCH2', appNo: 'APP2', name: '别家应用' }, world.now())
  for (const role of ROLES) {
    await addUser(gateway, role.replace('_', '-'), role)
    as[role] = await signedIn(gateway, role.replace('_', '-'))
  }
  await addUser(gateway, 'other-admin', 'merchant_admin', { mchNo: 'MCH2' })
  as.stranger = await signedIn(gateway, 'other-admin')
})
afterAll(() => gateway.stop())
// The sessions are used longer than a proof holds (second-proof.test.ts).
beforeEach(() => gateway.database.pool.query('update console_session set proven_at = $1', [gateway.world.now()]))

const path = (number: string, more = ''): string => `orders/${gateway.demo.mchNo}/${number}${more}`

describe('signing in', () => {
  it('answers a session whose cookie scripts cannot read and other sites do not send', async () => {
    const answer = await consoleClient(gateway.demo.baseUrl).send('POST', 'session', {
      username: 'Operator',
      password: PASSWORD,
    })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ username: 'operator', role: 'operator', mch_no: null, is_sandbox: true })
    const cookie = answer.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^acopay_console=[0-9a-f]{64}; /)
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/console']) expect(cookie).toContain(part)
    expect(JSON.stringify(answer.body)).not.toContain(cookie.slice(15, 79))
  })

  it('says the same of a name that does not exist and of a wrong password', async () => {
    const visitor = consoleClient(gateway.demo.baseUrl)
    const wrong = await visitor.send('POST', 'session', { username: 'finance', password: 'not the password' })
    const nobody = await visitor.send('POST', 'session', { username: 'nobody', password: 'not the password' })
    expect(wrong.status).toBe(401)
    expect(nobody).toMatchObject({ status: wrong.status, body: wrong.body })
  })

  it('is locked after five failures, for the right password too, and opens again after a minute', async () => {
    await addUser(gateway, 'forgetful', 'finance')
    const visitor = consoleClient(gateway.demo.baseUrl)
    const tries = Array.from({ length: 6 }, (_, i) =>
      visitor.send('POST', 'session', { username: 'forgetful', password: `guess ${i}` }),
    )
    expect((await Promise.all(tries)).map(({ status }) => status)).toEqual(Array(6).fill(401))
    await expect(signedIn(gateway, 'forgetful')).rejects.toThrow('SIGN_IN_FAILED')
    gateway.advance(61_000)
    await expect(signedIn(gateway, 'forgetful')).resolves.toBeDefined()
  })

  it('leads only to a new password while that must be changed, and then everywhere', async () => {
    await addUser(gateway, 'new-one', 'operator', { mustChangePassword: true })
    const one = await signedIn(gateway, 'new-one')
    expect((await one.get('orders')).body).toMatchObject({ error: 'PASSWORD_CHANGE_FIRST' })
    const short = await one.send('PUT', 'session/password', { password: PASSWORD, new_password: 'short' })
    expect(short.body).toMatchObject({ error: 'FIELD_INVALID', field: 'new_password' })
    const other = await signedIn(gateway, 'new-one')
    const changed = await one.send('PUT', 'session/password', { password: PASSWORD, new_password: 'a better password' })
    expect(changed).toMatchObject({ status: 200, body: { username: 'new-one', must_change_password: false } })
    // A copy of the old cookie is refused, and every other browser is signed out.
    for (const { cookie } of [one, other]) {
      expect((await consoleClient(gateway.demo.baseUrl, cookie).get('session')).body).toBeNull()
    }
    const cookie = changed.headers.get('set-cookie')?.split(';')[0] ?? ''
    expect((await consoleClient(gateway.demo.baseUrl, cookie).get('orders')).status).toBe(200)
  })

  it('is for our own pages: what a form of another site can send signs no user in', async () => {
    const body = { username: 'operator', password: PASSWORD }
    const form = await consoleClient(gateway.demo.baseUrl).send('POST', 'session', body, {
      'content-type': 'text/plain',
    })
    expect(form).toMatchObject({ status: 400, body: { field: 'body' } })
    expect(form.headers.get('set-cookie')).toBeNull()
  })

  it('says that something failed when the database does, and goes on afterwards', async () => {
    const rename = (from: string, to: string) => gateway.database.pool.query(`alter table ${from} rename to ${to}`)
    await rename('console_session', 'console_session_away')
    const visitor = consoleClient(gateway.demo.baseUrl, as.operator.cookie)
    const answers = [
      await visitor.get('session'),
      await visitor.send('POST', 'session', { username: 'operator', password: PASSWORD }),
    ]
    await rename('console_session_away', 'console_session')
    for (const answer of answers) expect(answer).toMatchObject({ status: 500, body: { error: 'SYSTEM_ERROR' } })
    expect((await visitor.get('session')).body).toMatchObject({ username: 'operator' })
  })

  it('asks for the authenticator once it is on, and takes each code once', async () => {
    await addUser(gateway, 'careful', 'operator')
    const careful = await signedIn(gateway, 'careful')
    const begin = (password: string) => careful.send('POST', 'session/totp', { password })
    expect((await begin('not the password')).body).toMatchObject({ error: 'FIELD_INVALID', field: 'password' })
    const { secret } = (await begin(PASSWORD)).body
    const code = (): string =>
      new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: gateway.world.now().getTime() })
    expect((await careful.send('PUT', 'session/totp', { code: '000000' })).body).toMatchObject({ field: 'code' })
    expect((await careful.send('PUT', 'session/totp', { code: code() })).status).toBe(200)
    expect(await begin(PASSWORD)).toMatchObject({
      status: 409,
      body: { error: 'CONFLICT' },
    })
    const visitor = consoleClient(gateway.demo.baseUrl)
    const without = await visitor.send('POST', 'session', { username: 'careful', password: PASSWORD })
    expect(without.body).toMatchObject({ error: 'TOTP_REQUIRED' })
    await expect(signedIn(gateway, 'careful', PASSWORD, code())).rejects.toThrow('SIGN_IN_FAILED')
    gateway.advance(60_000)
    await expect(signedIn(gateway, 'careful', PASSWORD, code())).resolves.toBeDefined()
    const rows = await gateway.database.pool.query(`select totp_sealed from console_user where username = 'careful'`)
    expect(rows.rows[0].totp_sealed.toString('latin1')).not.toContain(secret)
  })

  it('is not switched off from an open session by guessing: what fails there counts like a sign-in in vain', async () => {
    await addUser(gateway, 'away', 'operator')
    const away = await signedIn(gateway, 'away')
    const { secret } = (await away.send('POST', 'session/totp', { password: PASSWORD })).body
    const code = (): string =>
      new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: gateway.world.now().getTime() })
    expect((await away.send('PUT', 'session/totp', { code: code() })).status).toBe(200)
    gateway.advance(60_000)
    const off = (password: string, guess: string) => away.send('DELETE', 'session/totp', { password, code: guess })
    expect((await off('not the password', code())).body).toMatchObject({ field: 'password' })
    for (let guess = 0; guess < 4; guess += 1) expect((await off(PASSWORD, `00000${guess}`)).status).toBe(400)
    // Locked by now, for the right ones too.
    expect((await off(PASSWORD, code())).status).toBe(400)
    gateway.advance(61_000)
    expect((await off(PASSWORD, code())).status).toBe(200)
    expect((await away.get('session')).body).toMatchObject({ totp_enabled: false })
  })

  it('is not kept open by a page without a user at it', async () => {
    const one = await signedIn(gateway, 'finance')
    const poll = () =>
      fetch(`${gateway.demo.baseUrl}/console/api/orders?limit=1`, {
        headers: { cookie: one.cookie, 'x-acopay-idle': '1' },
      })
    const everybody = Object.values(as)
    for (const minutes of [14, 14]) {
      gateway.advance(minutes * 60_000)
      expect((await poll()).status).toBe(200)
      for (const other of everybody) await other.get('session')
    }
    gateway.advance(3 * 60_000)
    expect((await poll()).status).toBe(401)
  })

  it('ends after half an hour without a call, and when signing out', async () => {
    const one = await signedIn(gateway, 'finance')
    const other = await signedIn(gateway, 'finance')
    const ended = await one.send('DELETE', 'session')
    expect([ended.status, ended.headers.get('set-cookie')]).toEqual([
      200,
      expect.stringMatching(/^acopay_console=; .*Expires=Thu, 01 Jan 1970/),
    ])
    expect((await one.get('orders')).headers.get('set-cookie')).toBeNull()
    expect((await one.get('orders')).body).toMatchObject({ error: 'SIGN_IN_FIRST' })
    const everybody = Object.values(as)
    for (const one of everybody) await one.get('session')
    gateway.advance(20 * 60_000)
    for (const one of everybody) await one.get('session')
    gateway.advance(11 * 60_000)
    expect((await other.get('orders')).status).toBe(401)
    expect((await as.operator.get('orders')).status).toBe(200)
  })
})

describe('every call', () => {
  it('that changes something needs the session and its token', async () => {
    const number = await place(gateway.demo)
    const stranger = consoleClient(gateway.demo.baseUrl)
    expect((await stranger.send('POST', path(number, '/close'))).status).toBe(401)
    const forged = consoleClient(gateway.demo.baseUrl, as.operator.cookie)
    expect((await forged.send('POST', path(number, '/close'))).body).toMatchObject({ error: 'CSRF_MISSING' })
    expect((await query(gateway.demo, number)).data.code).toBe('NOTPAY')
  })

  it.each(ROLES)('is allowed to %s as the table of roles says, and to no other role', async (role) => {
    const number = await place(gateway.demo)
    const calls: [(typeof PERMISSIONS)[number], () => Promise<{ status: number }>][] = [
      ['orders.read', () => as[role].get('orders')],
      ['orders.read', () => as[role].get(path(number))],
      ['orders.close', () => as[role].send('POST', path(number, '/close'))],
      ['refunds.create', () => as[role].send('POST', path(number, '/refunds'), {})],
      ['users.read', () => as[role].get('users')],
      ['users.write', () => as[role].send('POST', 'users', {})],
      ['audit.read', () => as[role].get('audit')],
      ['sandbox.use', () => as[role].send('POST', 'sandbox/orders', {})],
    ]
    for (const [permission, call] of calls) {
      const { status } = await call()
      expect(status === 403, `${role} ${permission} ${status}`).toBe(!ALLOWED[role].includes(permission))
    }
  })

  it('of a merchant about another merchant is refused, whatever it asks', async () => {
    const number = await place(gateway.demo)
    expect((await as.stranger.get(path(number))).status).toBe(403)
    expect((await as.stranger.get(path(number, '/evidence'))).status).toBe(403)
    expect((await as.stranger.send('POST', path(number, '/close'))).status).toBe(403)
    expect((await as.stranger.get(`orders?mch_no=${gateway.demo.mchNo}`)).status).toBe(403)
    expect((await as.stranger.get(`orders?number=${number}`)).body.rows).toEqual([])
    expect((await as.stranger.get('orders')).body.rows).toEqual([])
    expect((await as.stranger.send('PUT', 'users/merchant-admin', { enabled: false })).status).toBe(404)
    const forged = { username: 'mole', role: 'merchant_admin', mch_no: gateway.demo.mchNo }
    expect((await as.stranger.send('POST', 'users', forged)).status).toBe(403)
    expect((await query(gateway.demo, number)).data.code).toBe('NOTPAY')
  })

  it('with a field that is wrong names the field in both languages', async () => {
    for (const [asked, field] of [
      ['orders?state=GONE', 'state'],
      ['orders?limit=1000', 'limit'],
      ['orders?from=yesterday', 'from'],
      ['orders?amount_min=1.234', 'amount_min'],
      ['orders?amount_min=2&amount_max=1.99', 'amount_max'],
      ...['orders?', 'orders.csv?', 'notifications?', 'audit?', 'audit.jsonl?'].map((path) => [
        `${path}from=2026-03-01T00:00:01Z&until=2026-03-01T00:00:00Z`,
        'until',
      ]),
      [`orders?number=${'9'.repeat(65)}`, 'number'],
      ['audit?until=%00', 'until'],
    ]) {
      const answer = await as.operator.get(asked ?? '')
      expect(answer, asked).toMatchObject({ status: 400, body: { error: 'FIELD_INVALID', field } })
      expect(answer.body.message.zh.length * answer.body.message.en.length).toBeGreaterThan(0)
    }
  })

  it('for a refund with a field that is wrong is refused with an English sentence for English readers', async () => {
    const number = await place(gateway.demo)
    const right = { mch_refund_no: 'r'.repeat(24), amount: '1.00', reason: 'test' }
    for (const [wrong, field] of [
      [{ mch_refund_no: 'short' }, 'mch_refund_no'],
      [{ amount: '1' }, 'amount'],
      [{ amount: 1 }, 'amount'],
      [{ reason: '长'.repeat(33) }, 'reason'],
    ] as const) {
      const answer = await as.operator.send('POST', path(number, '/refunds'), { ...right, ...wrong })
      expect(answer).toMatchObject({ status: 400, body: { error: 'FIELD_INVALID', field } })
      expect(answer.body.message.en).toMatch(new RegExp(`^${field} should be [ -~]+$`))
    }
  })

  it('that asks for what is not there says so in JSON', async () => {
    expect(await as.operator.get('nothing')).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } })
    expect(await as.operator.get(path(`AP${'0'.repeat(36)}`))).toMatchObject({ status: 404 })
    expect(await as.operator.get('orders/NOBODY/AP1')).toMatchObject({ status: 404 })
  })
})

describe('orders', () => {
  it('are found by every number that belongs to them', async () => {
    const { demo } = gateway
    const number = await place(demo)
    const attempt = (await openAttempt(demo, number)) ?? ''
    await pay(demo, number, attempt)
    const refund = { mch_refund_no: 'refund-at-the-console-001', amount: '2.50', reason: '少发一件' }
    const refunded = await as.operator.send('POST', path(number, '/refunds'), refund)
    expect(refunded).toMatchObject({ status: 200, body: { state: 'SUCCESS' } })
    const { body } = await as.operator.get(path(number))
    const numbers = [
      number,
      body.mch_trade_no,
      attempt,
      body.payments[0].payment_no,
      refund.mch_refund_no,
      refunded.body.refund_no,
    ]
    for (const one of numbers) {
      const { rows } = (await as.operator.get(`orders?number=${encodeURIComponent(one)}`)).body
      expect(
        rows.map((row: { transaction_no: string }) => row.transaction_no),
        one,
      ).toEqual([number])
    }
    expect(body).toMatchObject({ state: 'REFUND', refundable: '10.00', timeline_broken_at: null })
    expect(body.allowed).toEqual(['refund'])
  })

  it('are listed page by page, the newest first, each once, also when what is asked for is rare', async () => {
    const { demo } = gateway
    const placed: string[] = []
    for (let i = 0; i < 5; i += 1) {
      gateway.advance(1)
      placed.unshift(await place(demo, { amount_total: '77.01' }))
    }
    const seen: string[] = []
    for (let after = ''; ; ) {
      const { body } = await as.merchant_viewer.get(`orders?amount_min=77.01&amount_max=77.01&limit=2&after=${after}`)
      seen.push(...body.rows.map((row: { transaction_no: string }) => row.transaction_no))
      if (body.next === null) break
      after = body.next
    }
    expect(seen).toEqual(placed)
    const from = encodeURIComponent(gateway.world.now().toISOString())
    expect((await as.merchant_viewer.get(`orders?from=${from}`)).body.rows).toHaveLength(1)
    expect(
      (await as.merchant_viewer.get(`orders?until=${from}&amount_min=77.01&amount_max=77.01`)).body.rows,
    ).toHaveLength(4)
  })

  it('that are being closed are found however old they are', async () => {
    const { demo } = gateway
    const number = await place(demo)
    await openAttempt(demo, number)
    gateway.upstreams.faults('wechat').set([{ kind: 'error_before' }])
    await as.operator.send('POST', path(number, '/close'))
    const found = await as.operator.get('orders?state=CLOSING&limit=1')
    expect(found.body).toMatchObject({ rows: [{ transaction_no: number, state: 'CLOSING' }], next: null })
    expect((await as.stranger.get('orders?state=CLOSING')).body.rows).toEqual([])
    gateway.upstreams.faults('wechat').set([])
    gateway.advance(60_000)
    await gateway.runJobs()
    expect((await as.operator.get('orders?state=CLOSING')).body.rows).toEqual([])
  })

  it('are exported as a CSV that a spreadsheet does not run', async () => {
    await place(gateway.demo, { description: '=HYPERLINK("x")', amount_total: '78.01' })
    const { body, headers } = await as.finance.get('orders.csv?amount_min=78.01&amount_max=78.01')
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="orders-\d{4}-\d\d-\d\d\.csv"$/)
    const lines = body.trim().split('\r\n')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain(`"'=HYPERLINK(""x"")"`)
  })

  it('closed by an operator say so, and are proven closed', async () => {
    const { demo } = gateway
    const number = await place(demo)
    await openAttempt(demo, number)
    expect((await as.operator.get(path(number))).body.allowed).toEqual(['close'])
    expect((await as.operator.send('POST', path(number, '/close'))).body).toEqual({ outcome: 'closed' })
    const { body } = await as.operator.get(path(number))
    expect(body).toMatchObject({ state: 'CLOSED', close_reason: 'OPERATOR', allowed: [] })
    expect(body.timeline.map(({ event, to }: { event: string; to: string }) => [event, to])).toEqual([
      ...[
        ['placed', 'NOTPAY'],
        ['pay_started', 'NOTPAY'],
        ['close_asked', 'CLOSING'],
        ['all_shut', 'CLOSED'],
      ],
    ])
    expect(body.attempts).toMatchObject([{ state: 'SHUT' }])
    expect((await as.operator.get(path(number, '/evidence'))).body).toMatchObject({ code: 'CLOSED' })
    const bare = await place(demo)
    await as.merchant_admin.send('POST', path(bare, '/close'))
    expect((await as.operator.get(path(bare))).body).toMatchObject({ state: 'CLOSED', close_reason: 'MERCHANT' })
  })

  it('refunded at the console are told to the merchant like refunds of its own', async () => {
    const { demo } = gateway
    const heard = `${demo.baseUrl}/sandbox/shop/hear`
    const number = await place(demo, { notify_url: heard })
    await pay(demo, number, (await openAttempt(demo, number)) ?? '')
    const ask = { mch_refund_no: 'refund-at-the-console-003', amount: '2.50', reason: '退货' }
    expect((await as.finance.send('POST', path(number, '/refunds'), ask)).status).toBe(200)
    gateway.advance(60_000)
    await gateway.runJobs()
    const { notifications } = (await as.finance.get(path(number))).body
    expect(notifications).toMatchObject([{ kind: 'refund', url: heard }, { kind: 'payment' }])
  })

  it('that are stuck say what the upstream answered last', async () => {
    const { demo, upstreams } = gateway
    const number = await place(demo)
    const attempt = await openAttempt(demo, number)
    upstreams.faults('wechat').set([{ kind: 'error_before' }])
    expect((await as.operator.send('POST', path(number, '/close'))).body).toEqual({ outcome: 'closing' })
    upstreams.faults('wechat').set([])
    const { state, attempts } = (await as.operator.get(path(number))).body
    expect(state).toBe('CLOSING')
    expect(attempts).toMatchObject([{ attempt_no: attempt, state: 'OPEN' }])
    expect(attempts[0].last_answer).toMatch(/^query: unknown: HTTP 500 SYSTEM_ERROR( \[[0-9A-F]{24}\])?$/)
  })

  it('cannot be refunded beyond what was paid, twice under one number, or unpaid', async () => {
    const { demo } = gateway
    const number = await place(demo)
    const ask = { mch_refund_no: 'refund-at-the-console-002', amount: '12.50', reason: '退货' }
    expect(await as.operator.send('POST', path(number, '/refunds'), ask)).toMatchObject({ status: 409 })
    await pay(demo, number, (await openAttempt(demo, number)) ?? '')
    const tooMuch = await as.operator.send('POST', path(number, '/refunds'), { ...ask, amount: '12.51' })
    expect(tooMuch.status).toBe(409)
    const empty = await as.operator.send('POST', path(number, '/refunds'), { ...ask, amount: 'all of it' })
    expect(empty).toMatchObject({ status: 400, body: { field: 'amount' } })
    const [first, again] = [
      await as.operator.send('POST', path(number, '/refunds'), ask),
      await as.operator.send('POST', path(number, '/refunds'), ask),
    ]
    expect(again.body).toEqual(first.body)
    const other = await as.operator.send('POST', path(number, '/refunds'), { ...ask, amount: '1.00' })
    expect(other.status).toBe(409)
  })

  it('whose timeline was changed by hand say from where on', async () => {
    const number = await place(gateway.demo)
    await as.operator.send('POST', path(number, '/close'))
    await gateway.database.pool.query(
      `update timeline set entry = replace(entry, 'OPERATOR', 'MERCHANT') where transaction_no = $1`,
      [number],
    )
    expect((await as.operator.get(path(number))).body.timeline_broken_at).toBe(2)
  })

  it('whose timeline was rewritten with all its hashes say from where on', async () => {
    const number = await place(gateway.demo)
    await as.operator.send('POST', path(number, '/close'))
    expect((await as.operator.get(path(number))).body.timeline_broken_at).toBeNull()
    const key = { mchNo: gateway.demo.mchNo, transactionNo: number }
    await forgeTimeline(gateway.database.pool, key, (entries) =>
      entries.map((one) => ({ ...one, entry: one.entry.replace('OPERATOR', 'MERCHANT') })),
    )
    expect((await as.operator.get(path(number))).body.timeline_broken_at).toBe(2)
  })
})

describe('users', () => {
  it('are made with a one-time password that must be changed, and are out at once when disabled', async () => {
    const made = await as.platform_admin.send('POST', 'users', { username: 'clerk', role: 'finance' })
    expect(made.status).toBe(200)
    const clerk = await signedIn(gateway, 'clerk', made.body.password)
    expect(clerk.session?.must_change_password).toBe(true)
    const twice = await as.platform_admin.send('POST', 'users', { username: 'clerk', role: 'finance' })
    expect(twice).toMatchObject({ status: 409, body: { field: 'username' } })
    await as.platform_admin.send('PUT', 'users/clerk', { enabled: false })
    expect((await clerk.get('session')).body).toBeNull()
    await expect(signedIn(gateway, 'clerk', made.body.password)).rejects.toThrow('SIGN_IN_FAILED')
    expect(await as.platform_admin.send('PUT', 'users/platform-admin', { enabled: false })).toMatchObject({
      status: 409,
    })
  })

  it('of a merchant are made by its own admin, who sees no others', async () => {
    const { mchNo } = gateway.demo
    const made = await as.merchant_admin.send('POST', 'users', {
      username: 'shop-clerk',
      role: 'merchant_viewer',
      mch_no: mchNo,
    })
    expect(made.body.user).toMatchObject({ mch_no: mchNo, role: 'merchant_viewer' })
    const { rows } = (await as.merchant_admin.get('users')).body
    expect(new Set(rows.map((row: { mch_no: string }) => row.mch_no))).toEqual(new Set([mchNo]))
    const raised = await as.merchant_admin.send('PUT', 'users/shop-clerk', { role: 'platform_admin' })
    expect(raised).toMatchObject({ status: 400, body: { field: 'role' } })
  })
})

describe('the audit log', () => {
  it('holds who did what to what, from where and how it ended, and no secret', async () => {
    const number = await place(gateway.demo)
    gateway.advance(1)
    await as.operator.send('POST', path(number, '/close'))
    const { rows } = (await as.finance.get('audit?action=orders.close&limit=1')).body
    expect(rows).toMatchObject([
      { username: 'operator', action: 'orders.close', subject: number, outcome: 'DONE', address: '127.0.0.1' },
    ])
    const all = JSON.stringify((await as.platform_admin.get('audit?limit=100')).body)
    expect(all).not.toContain(PASSWORD)
    expect(JSON.stringify(gateway.logged())).not.toContain(PASSWORD)
  })

  it("holds what a merchant's user does in that merchant's log, whatever merchant the call names", async () => {
    await addUser(gateway, 'clerk-of-mine', 'merchant_viewer')
    const { mchNo } = gateway.demo
    const body = { reset_password: true, mch_no: 'MCH2' }
    expect((await as.merchant_admin.send('PUT', 'users/clerk-of-mine', body)).status).toBe(200)
    await as.merchant_admin.send('POST', 'orders/MCH2/AP1/close')
    await as.platform_admin.send('PUT', 'users/clerk-of-mine', { unlock: true })
    await signedIn(gateway, 'other-admin')
    const lines = async (who: ConsoleClient): Promise<string[]> =>
      (await who.get('audit?limit=100')).body.rows.map(
        (row: Record<string, string>) => `${row.username} ${row.action} ${row.mch_no} ${row.outcome}`,
      )
    const mine = await lines(as.merchant_admin)
    expect(mine).toContain(`merchant-admin users.change ${mchNo} DONE`)
    expect(mine).toContain(`merchant-admin orders.close ${mchNo} FORBIDDEN`)
    // What the platform did to its user, too.
    expect(mine).toContain(`platform-admin users.change ${mchNo} DONE`)
    const theirs = await lines(as.stranger)
    expect(theirs).toContain('other-admin session.begin MCH2 DONE')
    expect(theirs.filter((line) => line.startsWith('merchant-admin'))).toEqual([])
  })

  it('shows a merchant its own lines only', async () => {
    const { rows } = (await as.stranger.get('audit')).body
    for (const row of rows) expect(row.mch_no).toBe('MCH2')
  })
})

describe('the sandbox page', () => {
  const scenario = async (name: string) => {
    const { body } = await as.merchant_admin.send('POST', 'sandbox/orders', { amount: '3.00', description: name })
    const operations = `sandbox/orders/${body.mch_no}/${body.transaction_no}/operations`
    const done = await as.merchant_admin.send('POST', operations, { operation: 'scenario', scenario: name })
    expect(done.status, JSON.stringify(done.body)).toBe(200)
    await gateway.runJobs()
    const order = (await as.merchant_admin.get(`orders/${body.mch_no}/${body.transaction_no}`)).body
    return { order, seen: (await as.merchant_admin.get(operations)).body }
  }

  it('plays a late payment, whose money goes back by itself', async () => {
    const { order, seen } = await scenario('late_payment')
    expect(order).toMatchObject({ state: 'CLOSED', payments: [{ fate: 'reverse' }], reversals: [{ state: 'SUCCESS' }] })
    expect(seen.upstream).toMatchObject([{ state: 'paid', taken: '3.00', returned: '3.00' }])
  })

  it('plays two codes paid, of which one is kept and told', async () => {
    const { order, seen } = await scenario('two_codes_paid')
    expect(order.payments.map(({ fate }: { fate: string }) => fate).sort()).toEqual(['keep', 'reverse'])
    expect(order.reversals).toMatchObject([{ state: 'SUCCESS' }])
    expect(seen.heard).toMatchObject([{ kind: 'payment', code: 'SUCCESS' }])
  })

  it('plays a close whose answer is lost, and a payment at the moment of the close', async () => {
    expect((await scenario('lost_close_answer')).order.state).toBe('CLOSED')
    expect(['CLOSED', 'SUCCESS']).toContain((await scenario('paid_while_closing')).order.state)
  })
})
