/** What the audit log holds of each call that changes something: written by hand, one row for each. */
import { AUDIT_ACTIONS } from '@acopay/protocol/console'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { addUser, type ConsoleClient, PASSWORD, signedIn } from './support/console.ts'
import { openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let admin: ConsoleClient
let paid = ''
let open = ''
beforeAll(async () => {
  gateway = await testWorld()
  await addUser(gateway, 'admin', 'platform_admin')
  await addUser(gateway, 'clerk', 'merchant_viewer')
  await addUser(gateway, 'own-admin', 'merchant_admin')
  admin = await signedIn(gateway, 'admin')
  open = await place(gateway.demo)
  paid = await place(gateway.demo)
  await pay(gateway.demo, paid, (await openAttempt(gateway.demo, paid)) ?? '')
})
afterAll(() => gateway.stop())

type Row = [
  call: [method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object],
  action: string,
  mchNo: string | null,
  subject: string | null,
  detail: object,
  outcome: string,
]

const x = (count: number): string => 'x'.repeat(count)
const M = 'MCH1000000'

/** The calls in their order; `:o` and `:p` are an open and a paid order of the demo merchant. */
const ROWS: Row[] = [
  [['POST', `orders/${M}/:o/close`], 'orders.close', M, ':o', {}, 'DONE'],
  [['POST', `orders/${M}/:p/notes`, { note: 'a secret of the payer' }], 'orders.note', M, ':p', {}, 'DONE'],
  [['POST', `orders/${M}/:p/notes`, { note: x(501) }], 'orders.note', M, ':p', {}, 'FIELD_INVALID'],
  [['PUT', `orders/${M}/:p/tags`, { tags: ['vip'] }], 'orders.tag', M, ':p', {}, 'DONE'],
  [['PUT', 'orders/MCH404/AP1/tags', { tags: [] }], 'orders.tag', 'MCH404', 'AP1', {}, 'NOT_FOUND'],
  [
    ['POST', 'bulk/close', { orders: [{ mch_no: M, transaction_no: 'AP404' }] }],
    'orders.bulk_close',
    null,
    null,
    { orders: [`${M}/AP404`] },
    'DONE',
  ],
  [['POST', 'bulk/requests/none', {}], 'bulk.confirm', null, 'none', {}, 'NOT_FOUND'],
  [['DELETE', 'bulk/requests/none'], 'bulk.drop', null, 'none', {}, 'NOT_FOUND'],
  [['POST', 'bulk/close', { orders: 5 }], 'orders.bulk_close', null, null, { orders: [] }, 'FIELD_INVALID'],
  [
    ['POST', 'bulk/resend', { orders: [{ mch_no: M, transaction_no: 'AP404' }] }],
    'notifications.bulk_resend',
    null,
    null,
    { orders: [`${M}/AP404`] },
    'DONE',
  ],
  [['POST', 'orders/MCH404/AP1/close'], 'orders.close', 'MCH404', 'AP1', {}, 'NOT_FOUND'],
  [
    ['POST', `orders/${M}/:p/refunds`, { mch_refund_no: x(24), amount: '1.00', reason: 'a' }],
    'refunds.create',
    M,
    ':p',
    { mch_refund_no: x(24), amount: '1.00' },
    'DONE',
  ],
  [
    ['POST', `orders/${M}/:p/refunds`, { mch_refund_no: x(65), amount: 5 }],
    'refunds.create',
    M,
    ':p',
    { mch_refund_no: x(64), amount: '5' },
    'FIELD_INVALID',
  ],
  [
    ['POST', 'notifications/resend', { mch_no: M, transaction_no: ':p', seq: 3 }],
    'notifications.resend',
    M,
    ':p',
    { seq: 3, dead: false },
    'DONE',
  ],
  [
    ['POST', 'notifications/resend', { mch_no: M, dead: true, from: '2026-01-01T00:00:00Z', until: `2026${x(40)}` }],
    'notifications.resend',
    M,
    null,
    { dead: true, from: '2026-01-01T00:00:00Z', until: `2026${x(28)}` },
    'FIELD_INVALID',
  ],
  [
    ['POST', 'notifications/resend', { mch_no: x(33), transaction_no: x(39), seq: 'y' }],
    'notifications.resend',
    x(32),
    x(38),
    { dead: false },
    'FIELD_INVALID',
  ],
  [
    ['POST', 'notifications/resend', { mch_no: 1, transaction_no: 2 }],
    'notifications.resend',
    null,
    null,
    { dead: false },
    'FIELD_INVALID',
  ],
  [
    ['POST', 'differences/settle', { mch_no: M, attempt_no: 'AT1', day: '2026-01-01', kind: 'PAYMENT_MISSING' }],
    'reconciliation.settle',
    M,
    'AT1',
    { day: '2026-01-01', kind: 'PAYMENT_MISSING' },
    'FIELD_INVALID',
  ],
  [
    ['POST', 'differences/settle', { mch_no: x(33), attempt_no: x(65), day: x(11), kind: x(33) }],
    'reconciliation.settle',
    x(32),
    x(64),
    { day: x(10), kind: x(32) },
    'FIELD_INVALID',
  ],
  [
    ['POST', 'differences/settle', { day: 1 }],
    'reconciliation.settle',
    null,
    null,
    { day: '', kind: '' },
    'FIELD_INVALID',
  ],
  [
    [
      'POST',
      'unmatched-payments/settle',
      { mch_no: M, channel: 'wechat', attempt_no: 'AT1', payment_no: x(65), note: 'n' },
    ],
    'reconciliation.settle',
    M,
    'AT1',
    { kind: 'STRAY', payment_no: x(64) },
    'FIELD_INVALID',
  ],
  [
    [
      'POST',
      'unmatched-payments/settle',
      { mch_no: M, channel: 'wechat', attempt_no: 'AT1', payment_no: 'UP1', note: 'n' },
    ],
    'reconciliation.settle',
    M,
    'AT1',
    { kind: 'STRAY', payment_no: 'UP1' },
    'CONFLICT',
  ],
  [
    ['POST', 'reversals/settle', { mch_no: M, refund_no: 'AR1', note: 'n' }],
    'reversals.settle',
    M,
    'AR1',
    {},
    'NOT_FOUND',
  ],
  [
    ['POST', 'reversals/settle', { mch_no: x(33), refund_no: x(39) }],
    'reversals.settle',
    x(32),
    x(38),
    {},
    'FIELD_INVALID',
  ],
  [['POST', 'reversals/settle', { mch_no: 1, refund_no: 2 }], 'reversals.settle', null, null, {}, 'FIELD_INVALID'],
  [
    ['POST', 'merchants', { mch_no: 'MCH-NEW', name: 'new' }],
    'merchants.add',
    'MCH-NEW',
    null,
    { fields: ['mch_no', 'name'] },
    'DONE',
  ],
  [['POST', 'merchants', { mch_no: x(33) }], 'merchants.add', x(32), null, { fields: ['mch_no'] }, 'FIELD_INVALID'],
  [
    ['PUT', 'merchants/MCH-NEW', { name: 'newer' }],
    'merchants.change',
    'MCH-NEW',
    'MCH-NEW',
    { fields: ['name'] },
    'DONE',
  ],
  [
    ['PUT', 'merchants/MCH-NEW', Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`f${index}`, 1]))],
    'merchants.change',
    'MCH-NEW',
    'MCH-NEW',
    { fields: Array.from({ length: 20 }, (_, index) => `f${index}`) },
    'FORBIDDEN',
  ],
  [
    ['POST', 'merchants/MCH-NEW/apps', { app_no: 'APP-NEW', name: 'an app' }],
    'apps.add',
    'MCH-NEW',
    'MCH-NEW',
    { fields: ['app_no', 'name'] },
    'DONE',
  ],
  [
    ['PUT', 'merchants/MCH-NEW/apps/APP-NEW', { enabled: false }],
    'apps.change',
    'MCH-NEW',
    'APP-NEW',
    { fields: ['enabled'] },
    'DONE',
  ],
  [
    ['POST', 'merchants/MCH-NEW/keys', { public_key: 'none', overlap_hours: 0 }],
    'keys.add',
    'MCH-NEW',
    'MCH-NEW',
    { fields: ['public_key', 'overlap_hours'] },
    'FIELD_INVALID',
  ],
  [['DELETE', 'merchants/MCH-NEW/keys/KEY404'], 'keys.end', 'MCH-NEW', 'KEY404', { fields: [] }, 'NOT_FOUND'],
  [['POST', 'platform-keys', { days: 91 }], 'platform_keys.add', null, null, {}, 'FIELD_INVALID'],
  [['DELETE', 'platform-keys/KEY404', {}], 'platform_keys.end', null, 'KEY404', {}, 'NOT_FOUND'],
  [['POST', 'alarm-channels', { name: x(65), kind: 'mail' }], 'alarm_channels.add', null, x(64), {}, 'FIELD_INVALID'],
  [['POST', 'alarm-channels', { name: 1 }], 'alarm_channels.add', null, '1', {}, 'FIELD_INVALID'],
  [['PUT', 'alarm-channels/AC404', { name: 'x' }], 'alarm_channels.change', null, 'AC404', {}, 'NOT_FOUND'],
  [['DELETE', 'alarm-channels/AC404'], 'alarm_channels.remove', null, 'AC404', {}, 'NOT_FOUND'],
  [['POST', 'alarm-channels/AC404/test', {}], 'alarm_channels.test', null, 'AC404', {}, 'NOT_FOUND'],
  [
    ['PUT', `merchants/${M}/channels/wechat`, { settings: {} }],
    'channels.put',
    M,
    'wechat',
    { fields: ['settings'] },
    'DONE',
  ],
  [['POST', `merchants/${M}/channels/none/test`, {}], 'channels.test', M, 'none', { fields: [] }, 'NOT_FOUND'],
  [
    ['POST', 'users', { username: 'fresh', role: 'merchant_viewer', mch_no: M }],
    'users.add',
    M,
    'fresh',
    { role: 'merchant_viewer' },
    'DONE',
  ],
  [['POST', 'users', { username: x(65), mch_no: x(33) }], 'users.add', x(32), x(64), {}, 'FIELD_INVALID'],
  [
    [
      'PUT',
      'users/clerk',
      { enabled: true, unlock: true, reset_password: false, reset_totp: true, role: 'merchant_viewer' },
    ],
    'users.change',
    M,
    'clerk',
    { role: 'merchant_viewer', enabled: true, unlock: true, reset_password: false, reset_totp: true },
    'DONE',
  ],
  [
    ['POST', 'invitations', { username: 'invited', role: 'merchant_viewer', mch_no: M }],
    'invitations.add',
    M,
    'invited',
    { role: 'merchant_viewer' },
    'DONE',
  ],
  [
    ['POST', 'invitations', { username: x(65), mch_no: x(33), role: x(33) }],
    'invitations.add',
    x(32),
    x(64),
    { role: x(32) },
    'FIELD_INVALID',
  ],
  [['DELETE', `invitations/${x(39)}`], 'invitations.revoke', null, x(38), {}, 'NOT_FOUND'],
  [['PUT', 'users/nobody', { enabled: true }], 'users.change', null, 'nobody', { enabled: true }, 'NOT_FOUND'],
  [['POST', 'sandbox/orders', { amount: '1.00', description: 'a' }], 'sandbox.place', null, null, {}, 'DONE'],
  [
    ['POST', `sandbox/orders/${M}/:p/operations`, { operation: 'x' }],
    'sandbox.deed',
    M,
    ':p',
    { operation: 'x', scenario: '' },
    'FIELD_INVALID',
  ],
  [['POST', `refund-requests/${M}/none`, {}], 'refunds.confirm', M, 'none', {}, 'NOT_FOUND'],
  [['DELETE', `refund-requests/${M}/none`], 'refunds.drop', M, 'none', {}, 'NOT_FOUND'],
  [
    ['GET', `orders.csv?mch_no=${M}&state=CLOSED&channel=&from=2026-01-01T00:00:00Z`],
    'lists.export',
    M,
    'orders.csv',
    { mch_no: M, state: 'CLOSED', from: '2026-01-01T00:00:00Z' },
    'DONE',
  ],
  [['GET', `refunds.xlsx?number=${x(65)}`], 'lists.export', null, 'refunds.xlsx', { number: x(64) }, 'FIELD_INVALID'],
  [['GET', `statements/${M}/2026-02/csv`], 'lists.export', M, 'statement.csv', { month: '2026-02' }, 'DONE'],
  [['GET', `statements/${M}/2026-13/xlsx`], 'lists.export', M, 'statement.xlsx', { month: '2026-13' }, 'FIELD_INVALID'],
  [
    ['GET', 'statements/MCH404/2026-02/csv'],
    'lists.export',
    'MCH404',
    'statement.csv',
    { month: '2026-02' },
    'NOT_FOUND',
  ],
  [['PUT', 'sandbox/faults/none', {}], 'sandbox.faults', null, null, {}, 'NOT_FOUND'],
  [['POST', 'sandbox/time', { to: '-1d' }], 'sandbox.time', null, null, { to: '-1d' }, 'FIELD_INVALID'],
  [['POST', 'session/proof', { password: 'wrong' }], 'session.prove', null, null, {}, 'FIELD_INVALID'],
  [['DELETE', 'sessions/0123456789abcdef'], 'session.end_other', null, '0123456789abcdef', {}, 'NOT_FOUND'],
  [['POST', 'session/provider', {}], 'session.provider_begin', null, null, {}, 'NOT_FOUND'],
  [['DELETE', 'session/provider'], 'session.provider_unlink', null, null, {}, 'DONE'],
  [['POST', 'session/totp', { password: 'wrong' }], 'session.totp_begin', null, null, {}, 'FIELD_INVALID'],
  [['PUT', 'session/totp', { code: '1' }], 'session.totp_on', null, null, {}, 'FIELD_INVALID'],
  [['DELETE', 'session/totp', { password: 'wrong' }], 'session.totp_off', null, null, {}, 'FIELD_INVALID'],
  [['POST', 'passkeys', { name: x(65) }], 'session.passkey_add', null, x(64), {}, 'CONFLICT'],
  [['POST', 'passkeys', { name: { toString: 1 } }], 'session.passkey_add', null, '', {}, 'CONFLICT'],
  [['DELETE', `passkeys/${x(17)}`], 'session.passkey_remove', null, x(16), {}, 'NOT_FOUND'],
  [
    ['PUT', 'session/password', { password: 'wrong', new_password: 'short' }],
    'session.password',
    null,
    null,
    {},
    'FIELD_INVALID',
  ],
]

const filled = (text: string): string => text.replace(':o', open).replace(':p', paid)

/** Of the last line that was read. */
let lastChanges: Record<string, { before: string; after: string }> = {}

async function lastLine(): Promise<Record<string, unknown>> {
  const { rows } = await gateway.database.pool.query(
    `select username, address, action, mch_no, subject, coalesce(o.outcome, a.outcome) as outcome, detail, changes
       from console_audit a left join console_audit_outcome o using (audit_no) order by audit_no desc limit 1`,
  )
  const { detail, changes, ...line } = rows[0]
  lastChanges = JSON.parse(changes)
  return { ...line, detail: JSON.parse(detail) }
}

it('every call that changes something leaves one line: who, what, of which merchant, to what, with which outcome', async () => {
  const wrong: unknown[] = []
  for (const [[method, path, body], action, mchNo, subject, detail, outcome] of ROWS) {
    gateway.advance(1)
    await admin.send(method, filled(path), body && JSON.parse(filled(JSON.stringify(body))))
    const expected = {
      username: 'admin',
      address: '127.0.0.1',
      action,
      mch_no: mchNo,
      subject: subject && filled(subject),
      outcome,
      detail,
    }
    const found = await lastLine()
    try {
      expect(found).toEqual(expected)
    } catch {
      wrong.push({ call: `${method} ${path}`, found, expected })
    }
  }
  expect(wrong).toEqual([])
  const { rows } = await gateway.database.pool.query('select count(*)::int as count from console_audit')
  // And the sign-in.
  expect(rows[0].count).toBe(ROWS.length + 1)
})

it("signing in and out leave a line in the user's own merchant's log, and a name that does not exist leaves none", async () => {
  gateway.advance(1)
  const own = await signedIn(gateway, 'own-admin')
  const line = { username: 'own-admin', address: '127.0.0.1', mch_no: M, subject: 'own-admin', detail: {} }
  expect(await lastLine()).toEqual({ ...line, action: 'session.begin', outcome: 'DONE' })
  gateway.advance(1)
  await expect(signedIn(gateway, 'own-admin', 'wrong')).rejects.toThrow('SIGN_IN_FAILED')
  expect(await lastLine()).toEqual({ ...line, action: 'session.begin', outcome: 'SIGN_IN_FAILED' })
  gateway.advance(1)
  await expect(signedIn(gateway, 'nobody', PASSWORD)).rejects.toThrow('SIGN_IN_FAILED')
  expect(await lastLine()).toEqual({ ...line, action: 'session.begin', outcome: 'SIGN_IN_FAILED' })
  gateway.advance(1)
  await own.send('POST', `orders/MCH404/${paid}/close`)
  expect(await lastLine()).toEqual({ ...line, action: 'orders.close', subject: paid, outcome: 'FORBIDDEN' })
  gateway.advance(1)
  await own.send('DELETE', 'session')
  expect(await lastLine()).toEqual({ ...line, action: 'session.end', subject: null, outcome: 'DONE' })
})

it('the table has a row for every action', () => {
  const rows = new Set(ROWS.map(([, action]) => action))
  // Of calls without a session: the rest of this file, test/identity-provider.test.ts and test/invitations.test.ts.
  const others = ['session.begin', 'session.end', 'session.provider_link', 'invitations.accept']
  expect(AUDIT_ACTIONS.filter((action) => !rows.has(action))).toEqual(others)
})

it('changed settings of a channel are kept as before and after, and of a secret only that it is another', async () => {
  const path = `merchants/${M}/channels/wechat`
  const apiV3Key = 'v'.repeat(32)
  const changes = async (settings: object) => {
    gateway.advance(1)
    expect((await admin.send('PUT', path, { settings })).status).toBe(200)
    await lastLine()
    return lastChanges
  }
  const first = await changes({ serialNo: 'AB12', apiV3Key })
  expect(first).toEqual({
    serialNo: { before: expect.stringMatching(/./), after: 'AB12' },
    apiV3Key: { before: expect.stringMatching(/^#[0-9a-f]{8}$/), after: expect.stringMatching(/^#[0-9a-f]{8}$/) },
  })
  expect(first.apiV3Key?.before).not.toBe(first.apiV3Key?.after)
  expect(await changes({ serialNo: 'AB12', apiV3Key })).toEqual({})
})
