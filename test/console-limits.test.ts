/**
 * Every field of the console's API at its last allowed value and at the first that is refused: 400, with the field's name. The
 * tables are written by hand. Nothing that can be sent is answered with 5xx.
 */
import { generateKeyPairSync } from 'node:crypto'
import { keyText } from '@acopay/protocol'
import type { Session } from '@acopay/protocol/console'
import { addConsoleUser } from '@acopay/store/console'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { beginSession } from '../apps/server/src/actions/console/session.ts'
import { type ConsoleClient, consoleClient } from './support/console.ts'
import { call, openAttempt, pay, place } from './support/merchant.ts'
import { PASSWORD_HASH } from './support/passwords.ts'
import { inBatches, wrongRows } from './support/tables.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let admin: ConsoleClient
let order = ''
let paid = ''

const MCH = 'merchants/MCH1000000'

/** A key that the merchant has already: to add it again is a conflict, once every field is in order. */
const pairOf = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits })
const KEYS = {
  short: keyText(pairOf(1024).publicKey),
  private: keyText(pairOf(2048).privateKey),
  curve: generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ format: 'der', type: 'spki' })
    .toString('base64'),
  known: keyText(pairOf(2048).publicKey),
}

beforeAll(async () => {
  gateway = await testWorld()
  const { database, world, demo } = gateway
  const add = async (username: string) =>
    addConsoleUser(
      database.pool,
      {
        username,
        role: 'platform_admin',
        mchNo: null,
        mustChangePassword: false,
        passwordHash: PASSWORD_HASH,
      },
      world.now(),
    )
  await add('admin')
  await add('clerk')
  const cookie = `acopay_console=${await beginSession(world, 'admin', '127.0.0.1')}`
  const { body } = await consoleClient(demo.baseUrl, cookie).get('session')
  admin = consoleClient(demo.baseUrl, cookie, body as Session)
  order = await place(demo)
  paid = await place(demo)
  await admin.send('POST', `${MCH}/keys`, { overlap_hours: 720, public_key: KEYS.known })
  await pay(demo, paid, (await openAttempt(demo, paid)) ?? '')
})
afterAll(() => gateway.stop())

const x = (count: number): string => 'x'.repeat(count)
/** Letters that nobody guesses. */
const odd = (length: number): string => 'kx8#mvq2plw9'.repeat(20).slice(0, length)
/** This many UTF-16 units, none of them in ASCII. */
const wide = (count: number): string => '长'.repeat(count)

/** The values of a text field that can hold `max` characters. */
const text = (max: number) => ({
  taken: [x(max), wide(max)],
  refused: [x(max + 1), wide(max + 1), 'a\u0000', 'a\u001f', 'a\u007f', 'a\nb'],
})
const TIME = {
  taken: [
    '1970-01-01T00:00:00Z',
    '2026-12-31T23:59:59.999Z',
    '2026-12-31T23:59:59+08:00',
    '2028-02-29T00:00:00.000Z',
    '9999-12-31T15:59:59Z',
  ],
  refused: [
    '1969-12-31T23:59:59Z',
    // In China this is the year 10000, and numbers of orders have room for four digits.
    '9999-12-31T16:00:00Z',
    '10000-01-01T00:00:00Z',
    '+010000-01-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-12-31T24:00:01Z',
    // Without an offset it would be a time of the machine's own zone.
    '2026-12-31T23:59:59',
    '2026-12-31',
    '2026-12-31T',
    'now',
    '1767225600000',
  ],
}
const DAY = {
  taken: ['1970-01-01', '2025-12-31', '2026-01-01', '2026-12-01', '2026-12-31', '2028-02-29', '9999-12-31'],
  refused: [
    '1969-12-31',
    '2026-02-29',
    '2026-00-01',
    '2026-13-01',
    '2026-12-32',
    '2026-1-1',
    '20261231',
    '2026-12-31T00:00:00Z',
    '10000-01-01',
    'x',
  ],
}
const PAGE = { taken: ['1', '50', '100'], refused: ['0', '101', '-1', '1.5', '1e1', 'x', '0x10', '9'.repeat(20)] }
const AMOUNT = {
  taken: ['0', '0.0', '0.01', '1', '999999.99', '999999999', '999999999.99'],
  refused: ['-1', '-0.01', '0.001', '.5', '1.', '1e3', '1,000', '9999999999', '１', 'x'],
}
type Values = { taken: unknown[]; refused: unknown[] }

/** A place in the list of stuck jobs, in Base64 and 1000 characters long: 750 bytes, of which 46 stand around the subject. */
const LONGEST_PLACE = Buffer.from(JSON.stringify(['2026-03-01T00:00:00Z', 'MCH1', 'make_bill', x(704)])).toString(
  'base64url',
)

/** The fields of every list, with the values of each. */
const QUERIES: [path: string, fields: Record<string, Values>][] = [
  [
    'orders',
    {
      mch_no: text(32),
      number: text(64),
      after: text(38),
      state: {
        taken: ['NOTPAY', 'CLOSING', 'CLOSED', 'SUCCESS', 'REFUND', 'STUCK'],
        refused: ['notpay', 'PAID', 'FAIL'],
      },
      channel: text(32),
      amount_min: AMOUNT,
      amount_max: AMOUNT,
      app_no: text(32),
      sent_back: { taken: ['true'], refused: ['false', '1', 'yes'] },
      notified: { taken: ['PENDING', 'DELIVERED', 'DEAD'], refused: ['dead', 'SENT'] },
      from: TIME,
      until: TIME,
      limit: PAGE,
    },
  ],
  [
    'orders.csv',
    {
      mch_no: text(32),
      number: text(64),
      amount_min: AMOUNT,
      from: TIME,
      until: TIME,
      language: { taken: ['zh', 'en'], refused: ['de', 'ZH'] },
    },
  ],
  ['totals/refunds', { mch_no: text(32), number: text(64), amount_min: AMOUNT, from: TIME, until: TIME }],
  ['find', { text: text(64) }],
  ['merchants', { search: text(64), after: text(32), limit: PAGE }],
  [
    'refunds',
    {
      mch_no: text(32),
      number: text(64),
      after: text(38),
      state: { taken: ['PROCESSING', 'SUCCESS', 'FAIL', 'STUCK'], refused: ['CLOSED', 'x'] },
      channel: text(32),
      app_no: text(32),
      amount_min: AMOUNT,
      amount_max: AMOUNT,
      from: TIME,
      until: TIME,
      limit: PAGE,
    },
  ],
  [
    'reversals',
    {
      mch_no: text(32),
      number: text(64),
      after: text(38),
      state: { taken: ['PROCESSING', 'SUCCESS', 'FAIL', 'STUCK'], refused: ['CLOSED', 'x'] },
      channel: text(32),
      app_no: text(32),
      amount_min: AMOUNT,
      amount_max: AMOUNT,
      from: TIME,
      until: TIME,
      limit: PAGE,
    },
  ],
  [
    'sent-back',
    {
      mch_no: text(32),
      after: text(38),
      state: { taken: ['PROCESSING', 'SUCCESS', 'STUCK'], refused: ['FAIL', 'x'] },
      from: TIME,
      until: TIME,
      limit: PAGE,
    },
  ],
  ['figures', { mch_no: text(32) }],
  [
    'notifications',
    {
      mch_no: text(32),
      transaction_no: text(38),
      state: { taken: ['PENDING', 'DELIVERED', 'DEAD'], refused: ['dead', 'SENT'] },
      from: TIME,
      until: TIME,
      after: {
        taken: ['0.MCH1.AP1.1', '1772337600000.MCH1.AP1.2147483647', '8640000000000000.MCH1.AP1.1'],
        refused: [
          'x',
          '0',
          '0.MCH1.AP1',
          '0.MCH1.AP1.0',
          '0.MCH1.AP1.2147483648',
          '0.MCH1.AP1.1.5x',
          '8640000000000001.MCH1.AP1.1',
          x(121),
        ],
      },
      limit: PAGE,
    },
  ],
  ['notifications/dead?mch_no=MCH1000000', { transaction_no: text(38), from: TIME, until: TIME }],
  [
    'bills',
    {
      mch_no: text(32),
      after: { taken: DAY.taken.map((day) => `${day}.MCH1`), refused: ['x', '2026-02-29.MCH1', x(81)] },
      limit: PAGE,
    },
  ],
  [
    'reconciliations',
    {
      mch_no: text(32),
      after: { taken: DAY.taken.map((day) => `${day}.MCH1.wechat`), refused: ['x', '2026-02-29.MCH1.wechat', x(81)] },
      limit: PAGE,
    },
  ],
  [
    'differences',
    {
      mch_no: text(32),
      channel: text(32),
      day: DAY,
      settled: { taken: ['true', 'false'], refused: ['1', 'yes'] },
      after: { taken: [], refused: ['x', 'W10', x(1001)] },
      limit: PAGE,
    },
  ],
  [
    'unmatched-payments',
    {
      mch_no: text(32),
      channel: text(32),
      day: DAY,
      settled: { taken: ['true', 'false'], refused: ['1', 'yes'] },
      after: { taken: [], refused: ['x', 'W10', x(1001)] },
      limit: PAGE,
    },
  ],
  ['overview', { mch_no: text(32) }],
  [
    'jobs',
    {
      mch_no: text(32),
      // The last one means the same place, with one character that a decoder passes over.
      after: { taken: [LONGEST_PLACE], refused: ['x', 'W10', x(1001), `${LONGEST_PLACE}A`] },
      limit: PAGE,
    },
  ],
  [
    'audit',
    { mch_no: text(32), username: text(64), action: text(64), from: TIME, until: TIME, after: text(38), limit: PAGE },
  ],
  ['users', { after: text(64), limit: PAGE }],
  ['invitations', { after: text(64), limit: PAGE }],
  ['alarms', { after: { taken: [], refused: ['x', 'W10', x(1001)] }, limit: PAGE }],
]

type Row = {
  name: string
  field: string
  expected: string
  run: () => Promise<{ status: number; body: { field?: string } }>
}

const nameOf = (call: string, field: string, value: unknown): string => {
  const json = JSON.stringify(value)
  return `${call} ${field}=${json.length > 60 ? `${json.slice(0, 50)}… (${String(value).length})` : json}`
}

/** `400 field` for a field that is refused by its name, else the status. */
async function expectRows(rows: Row[]): Promise<void> {
  const answers = await inBatches(rows, ({ run }) => run())
  expect(
    wrongRows(rows, ({ name, field, expected }, index) => {
      const { status, body } = answers[index] as Awaited<ReturnType<Row['run']>>
      return [name, status === 400 && body.field === field ? `400 ${field}` : `${status}`, expected]
    }),
  ).toEqual([])
}

it('the lists take every filter at its last allowed value, and name the one that is wrong', async () => {
  const rows = QUERIES.flatMap(([path, fields]) =>
    Object.entries(fields).flatMap(([field, { taken, refused }]) => {
      const row = (value: unknown, expected: string): Row => {
        const query = `${path}${path.includes('?') ? '&' : '?'}${field}=${encodeURIComponent(String(value))}`
        return { name: nameOf(`GET ${path}`, field, value), field, expected, run: () => admin.get(query) }
      }
      return [...taken.map((value) => row(value, '200')), ...refused.map((value) => row(value, `400 ${field}`))]
    }),
  )
  expect(rows.length).toBeGreaterThanOrEqual(400)
  await expectRows(rows)
})

it('a page holds as many rows as were asked for, fifty without a word, and says when there are more', async () => {
  const { database, world } = gateway
  const now = world.now()
  for (let count = 0; count < 101; count += 1) {
    const username = `zz-one-of-many-${String(count).padStart(3, '0')}`
    const user = { username, role: 'finance', mchNo: null, mustChangePassword: true, passwordHash: 'none' } as const
    await addConsoleUser(database.pool, user, now)
  }
  const rows: [query: string, count: number, next: string | null][] = [
    ['after=zz-one-of-many-', 50, 'zz-one-of-many-049'],
    ['after=zz-one-of-many-&limit=1', 1, 'zz-one-of-many-000'],
    ['after=zz-one-of-many-&limit=100', 100, 'zz-one-of-many-099'],
    ['after=zz-one-of-many-000&limit=100', 100, null],
    ['after=zz-one-of-many-001&limit=100', 99, null],
    ['after=zz-one-of-many-100&limit=100', 0, null],
  ]
  const pages = await inBatches(rows, ([query]) => admin.get(`users?${query}`))
  expect(
    wrongRows(rows, ([query, count, next], index) => {
      const { body } = pages[index] as (typeof pages)[number]
      return [query, `${body.rows.length} ${body.next}`, `${count} ${next}`]
    }),
  ).toEqual([])
})

type Ask = {
  method: 'POST' | 'PUT'
  path: string
  /** The other fields, all in order. */
  body: () => object
  fields: Record<string, Values & { ok?: number }>
}

const NUMBER = { taken: ['a', `A-_${x(29)}`], refused: [x(33), '', null, 'a b', 'a.b', '商户', 1, 'a\n'] }
const NAME = { taken: ['x', wide(64)], refused: ['', null, x(65), 1, {}, 'a\u0000'] }
const YES = { taken: [true, false, null], refused: ['true', 1, 0, {}, []] }
const MERCHANT_NUMBER = { taken: [x(24), x(50)], refused: [x(23), x(51), '', null, 1, wide(24), `${x(24)}\n`] }
const SETTLED = {
  channel: { taken: [x(32)], refused: [x(33), '', null, 1], ok: 409 },
  attempt_no: { taken: [x(64), '', null], refused: [x(65), 1, {}], ok: 409 },
  payment_no: { taken: [x(64), '', null], refused: [x(65), 1, {}], ok: 409 },
  note: { taken: ['x', wide(500)], refused: ['', null, x(501), 1, 'a\nb'], ok: 409 },
}
let serial = 0
const fresh = (): string => {
  serial += 1
  return `fresh-${serial}`
}

const ASKS = (): Ask[] => [
  {
    method: 'POST',
    path: 'merchants',
    body: () => ({ mch_no: fresh(), name: 'x' }),
    fields: { mch_no: NUMBER, name: NAME },
  },
  {
    method: 'PUT',
    path: MCH,
    body: () => ({}),
    fields: {
      name: { taken: ['x', wide(64), '', null], refused: [x(65), 1, 'a\u0000'] },
      enabled: { taken: [true, null], refused: ['true', 1, 'x', []] },
      rate_per_second: {
        taken: [1, '1', 1_000_000, null],
        refused: [0, -1, 1.5, 1_000_001, 'x', true, [5], {}, '1e3'],
      },
      allowed_ips: {
        taken: [
          Array.from({ length: 100 }, (_, index) => `10.0.0.${index}`),
          ['127.0.0.1'],
          ['127.0.0.0/8', '::1', '2001:db8::/32', '0.0.0.0/0', '::/0', '1.2.3.4/32', '::1/128', '::ffff:10.0.0.1'],
          [' 127.0.0.1 '],
          [],
        ],
        refused: [
          Array.from({ length: 101 }, (_, index) => `10.0.0.${index}`),
          ['1'],
          [1],
          ['127.1'],
          ['0x7f000001'],
          ['2130706433'],
          ['010.0.0.1'],
          ['1.2.3.4/33'],
          ['1.2.3.4/-1'],
          ['1.2.3.4/08'],
          ['1.2.3.4/'],
          ['1.2.3.4/8/8'],
          ['1.2/16'],
          ['::1/129'],
          ['::1/'],
          ['fe80::1%eth0'],
          ['1.2.3.4:80'],
          ['example.com'],
          [''],
          [null],
          [['127.0.0.1']],
          '127.0.0.1',
          null,
          {},
        ],
      },
    },
  },
  {
    method: 'POST',
    path: `${MCH}/apps`,
    body: () => ({ app_no: fresh(), name: 'x' }),
    fields: { app_no: NUMBER, name: NAME },
  },
  {
    method: 'PUT',
    path: `${MCH}/apps/APP1000000`,
    body: () => ({}),
    fields: {
      name: { taken: ['x', wide(64), '', null], refused: [x(65), 1] },
      enabled: YES,
      channels: {
        taken: [['wechat'], ['wechat', 'alipay'], ['alipay', 'alipay'], null],
        refused: [[], ['unionpay'], ['wechat', 'x'], 'wechat', {}, [['wechat']], 1],
      },
    },
  },
  {
    method: 'POST',
    path: `${MCH}/keys`,
    body: () => ({ overlap_hours: 720, public_key: KEYS.known }),
    fields: {
      overlap_hours: { taken: [0, 720, '720'], refused: [-1, 721, 1.5, '', null, 'x', [5], true], ok: 409 },
      public_key: { taken: [], refused: [KEYS.short, KEYS.private, KEYS.curve, '', null, 'x', x(10_001), 1, {}] },
      generate: { taken: [false, null], refused: ['true', 1], ok: 409 },
    },
  },
  {
    method: 'PUT',
    path: `${MCH}/channels/wechat`,
    body: () => ({ settings: {} }),
    fields: { settings: { taken: [{}, { serialNo: x(10_000) }, { serialNo: '' }], refused: [null, 1, 'x'] } },
  },
  {
    method: 'POST',
    path: 'users',
    body: () => ({ username: fresh(), role: 'finance' }),
    fields: {
      username: {
        taken: ['ab', `a._-${x(60)}`, '0a'],
        refused: ['a', x(65), 'Ab', '.ab', '-ab', 'a b', '用户', '', null, 1],
      },
      role: { taken: ['platform_admin', 'operator', 'finance'], refused: ['root', '', null, 1, ['finance']] },
      mch_no: { taken: ['', null], refused: ['MCH1000000', x(33), 1] },
    },
  },
  {
    method: 'POST',
    path: 'users',
    body: () => ({ username: fresh(), role: 'merchant_viewer', mch_no: 'MCH1000000' }),
    fields: {
      mch_no: { taken: ['MCH1000000'], refused: ['MCH404', '', null, x(33)] },
      role: { taken: ['merchant_admin', 'merchant_viewer'], refused: [''] },
    },
  },
  {
    method: 'POST',
    path: 'invitations',
    body: () => ({ username: fresh(), role: 'finance' }),
    fields: {
      username: { taken: ['ac', `b._-${x(60)}`], refused: ['a', x(65), 'Ab', '用户', '', null, 1] },
      role: { taken: ['operator', 'finance'], refused: ['root', '', null, 1, ['finance']] },
      mch_no: { taken: ['', null], refused: ['MCH1000000', x(33), 1] },
    },
  },
  {
    method: 'PUT',
    path: 'users/clerk',
    body: () => ({}),
    fields: {
      role: { taken: ['operator', 'finance', null, ''], refused: ['merchant_admin', 'merchant_viewer', 'root', 1] },
      enabled: YES,
      unlock: YES,
      reset_password: { taken: [false], refused: ['true', 1] },
      reset_totp: YES,
    },
  },
  {
    method: 'POST',
    path: `orders/MCH1000000/${order}/refunds`,
    body: () => ({ mch_refund_no: x(24), amount: '0.01', reason: 'x' }),
    fields: {
      mch_refund_no: { ...MERCHANT_NUMBER, ok: 409 },
      amount: {
        taken: ['0.01', '999999.99'],
        refused: ['0.00', '1000000.00', '1', '1.0', '-1.00', '', null, 1],
        ok: 409,
      },
      reason: { taken: ['x', wide(32)], refused: ['', null, wide(33), 'a\u0000', 1], ok: 409 },
    },
  },
  {
    method: 'POST',
    path: 'reversals/settle',
    body: () => ({ mch_no: 'MCH1000000', refund_no: 'AR1', note: 'x' }),
    fields: {
      mch_no: { taken: [x(32)], refused: [x(33), '', null, 1], ok: 404 },
      refund_no: { taken: [x(38)], refused: [x(39), '', null, 1], ok: 404 },
      note: { taken: ['x', wide(200)], refused: ['', null, x(201), 1, 'a\nb'], ok: 404 },
    },
  },
  {
    method: 'POST',
    path: 'notifications/resend',
    body: () => ({ mch_no: 'MCH1000000', transaction_no: order }),
    fields: {
      mch_no: { taken: ['MCH1000000'], refused: [x(33), '', null, 1] },
      transaction_no: { taken: [order], refused: [x(39), '', null, 1, 'a\u0000'] },
      seq: { taken: [1, '1', 1_000_000, null, ''], refused: [0, -1, 1.5, 1_000_001, 'x', [1], true] },
      dead: { taken: [true, false, null], refused: ['true', 1] },
      from: { taken: [...TIME.taken, '', null], refused: [...TIME.refused, 1, true] },
      until: { taken: [...TIME.taken, '', null], refused: [...TIME.refused, 1, true] },
    },
  },
  {
    method: 'POST',
    path: 'differences/settle',
    body: () => ({ mch_no: 'MCH1000000', channel: 'wechat', day: '2026-02-28', kind: 'PAYMENT_MISSING', note: 'x' }),
    fields: {
      ...SETTLED,
      mch_no: { taken: [x(32)], refused: [x(33), '', null, 1], ok: 409 },
      day: { taken: DAY.taken, refused: [...DAY.refused, '', null, 1], ok: 409 },
      kind: { taken: [x(32)], refused: [x(33), '', null, 1], ok: 409 },
      refund_no: { taken: [x(64), '', null], refused: [x(65), 1, {}], ok: 409 },
    },
  },
  {
    method: 'POST',
    path: 'unmatched-payments/settle',
    body: () => ({ mch_no: 'MCH1000000', channel: 'wechat', note: 'x' }),
    fields: SETTLED,
  },
  {
    method: 'POST',
    path: 'sandbox/orders',
    body: () => ({ amount: '0.01', description: 'x' }),
    fields: {
      amount: { taken: ['0.01', '999999.99'], refused: ['0.00', '1000000.00', '1', '', null, 1] },
      description: { taken: ['x', wide(127)], refused: ['', null, x(128), 1] },
      notify: { taken: ['ok', 'slow', 'fail', '', null], refused: ['x', 1] },
    },
  },
  {
    method: 'POST',
    path: `sandbox/orders/MCH1000000/${paid}/operations`,
    body: () => ({ operation: 'close' }),
    fields: {
      operation: { taken: ['close'], refused: ['', null, 'x', 1, ['close'], '__proto__', 'toString'] },
      channel: { taken: ['wechat', 'alipay', null], refused: ['unionpay', 1] },
      method: { taken: [x(32), null], refused: [x(33), 1] },
      attempt_no: { taken: [x(38), null], refused: [x(39), 1] },
      scenario: { taken: [null, ''], refused: ['x', 'toString', 1] },
      amount: { taken: ['0.01', null, ''], refused: ['0.00', '1', 1] },
    },
  },
  {
    method: 'PUT',
    path: 'session/password',
    body: () => ({ password: 'x', new_password: x(12) }),
    fields: {
      // Those that could be the new one are answered as well with 400: the old one is wrong.
      new_password: {
        taken: [odd(12), odd(200)],
        refused: [odd(11), '', null, odd(201), 1, x(12), 'password1234', 'my admin password', 'MY ADMIN PASSWORD'],
        ok: 400,
      },
      password: { taken: [], refused: ['', null, x(201), 1] },
    },
  },
]

it('changes take every field at its last allowed value, and name the one that is wrong', async () => {
  const rows = ASKS().flatMap(({ method, path, body, fields }) =>
    Object.entries(fields).flatMap(([field, { taken, refused, ok = 200 }]) => {
      const row = (value: unknown, expected: string): Row => ({
        name: nameOf(`${method} ${path}`, field, value),
        field,
        expected,
        run: () => admin.send(method, path, { ...body(), [field]: value }),
      })
      return [...taken.map((value) => row(value, `${ok}`)), ...refused.map((value) => row(value, `400 ${field}`))]
    }),
  )
  expect(rows.length).toBeGreaterThanOrEqual(350)
  await expectRows(rows)
})

it('the account of a channel is refused by the name of the setting that is wrong', async () => {
  const rows: [channel: 'wechat' | 'alipay', setting: string, value: string][] = [
    ['wechat', 'baseUrl', 'api.mch.weixin.qq.com'],
    ['wechat', 'baseUrl', 'ftp://api.mch.weixin.qq.com'],
    ['wechat', 'serialNo', x(10_001)],
    ['wechat', 'apiV3Key', x(31)],
    ['wechat', 'apiV3Key', x(33)],
    ['wechat', 'platformKeys', 'x'],
    ['wechat', 'platformKeys', '{}'],
    ['wechat', 'mchPrivateKey', 'x'],
    ['alipay', 'gateway', 'openapi.alipay.com'],
    ['alipay', 'appPrivateKey', 'x'],
    ['alipay', 'sellerId', x(10_001)],
    ['alipay', 'alipayPublicKey', 'x'],
    ['alipay', 'alipayPublicKey', '-'],
    ['alipay', 'appCert', 'x'],
  ]
  const answers = await inBatches(rows, ([channel, setting, value]) =>
    admin.send('PUT', `${MCH}/channels/${channel}`, { settings: { [setting]: value } }),
  )
  expect(
    wrongRows(rows, ([channel, setting, value], index) => {
      const answer = answers[index]
      return [
        `${channel} ${setting} ${value.slice(0, 40)}`,
        `${answer?.status} ${answer?.body.field}`,
        `400 ${setting}`,
      ]
    }),
  ).toEqual([])
})

it('an address that the list of a merchant takes is understood when the merchant calls', async () => {
  const { demo } = gateway
  const cases: [list: string[], message: string][] = [
    [['127.0.0.1'], 'SUCCESS'],
    [['127.0.0.0/8'], 'SUCCESS'],
    [['127.0.0.1/32'], 'SUCCESS'],
    [['0.0.0.0/0'], 'SUCCESS'],
    [['10.0.0.1', ' 127.0.0.1 '], 'SUCCESS'],
    [['::ffff:127.0.0.1'], 'SUCCESS'],
    [['127.0.0.2'], 'IP_FORBIDDEN'],
    [['126.0.0.0/8'], 'IP_FORBIDDEN'],
    [['128.0.0.0/1'], 'IP_FORBIDDEN'],
    [['::1', '2001:db8::/32'], 'IP_FORBIDDEN'],
    [['::ffff:127.0.0.2'], 'IP_FORBIDDEN'],
    [[], 'SUCCESS'],
  ]
  const said: string[] = []
  await admin.send('PUT', MCH, { rate_per_second: null })
  for (const [allowed_ips] of cases) {
    expect((await admin.send('PUT', MCH, { allowed_ips })).status).toBe(200)
    said.push((await call(demo, { method: 'GET', path: 'trade', params: { transaction_no: order } })).message)
  }
  expect(wrongRows(cases, ([list, expected], index) => [list.join(' '), said[index], expected])).toEqual([])
})

it('an entry that an older gateway took and that is no address lets no caller in, and breaks nothing', async () => {
  const { demo, database } = gateway
  const listed = async (list: string[]): Promise<string> => {
    await database.pool.query('update merchant set allowed_ips = $1 where mch_no = $2', [list, demo.mchNo])
    gateway.world.merchants.forget(demo.mchNo)
    return (await call(demo, { method: 'GET', path: 'trade', params: { transaction_no: order } })).message
  }
  const said = [await listed(['1', '1.2/16', '0x7f000001']), await listed(['127.1', '127.0.0.1']), await listed([])]
  expect(said).toEqual(['IP_FORBIDDEN', 'SUCCESS', 'SUCCESS'])
})

it('signing in takes a name, a password and a code up to their lengths', async () => {
  const visitor = consoleClient(gateway.demo.baseUrl)
  const given = { username: 'nobody', password: 'x' }
  const rows: [body: object, expected: string][] = [
    [{ username: x(64) }, '401'],
    [{ username: x(65) }, '400 username'],
    [{ username: '' }, '400 username'],
    [{ username: ['admin'] }, '400 username'],
    [{ password: x(200) }, '401'],
    [{ password: x(201) }, '400 password'],
    [{ password: '' }, '400 password'],
    [{ password: true }, '400 password'],
    [{ totp: x(20) }, '401'],
    [{ totp: x(21) }, '400 totp'],
    [{ totp: 123456 }, '400 totp'],
    [{ passkey: 'x' }, '400 passkey'],
    [{ passkey: null }, '401'],
  ]
  const answers = await inBatches(rows, ([body]) => visitor.send('POST', 'session', { ...given, ...body }))
  expect(
    wrongRows(rows, ([body, expected], index) => {
      const answer = answers[index]
      return [JSON.stringify(body), [answer?.status, answer?.body.field].join(' ').trim(), expected]
    }),
  ).toEqual([])
})

it('a body of 64 KiB is read and a longer one is not; a part of a path has 100 characters; text that is no JSON is refused', async () => {
  const send = async (body: string | Uint8Array, path = 'merchants') => {
    const headers = { cookie: admin.cookie, 'x-acopay-csrf': admin.session?.csrf ?? '' }
    const response = await fetch(`${gateway.demo.baseUrl}/console/api/${path}`, { method: 'POST', headers, body })
    const said = await response.text()
    return `${response.status} ${/"field":"(\w+)"/.exec(said)?.[1] ?? ''}`.trim()
  }
  const json = JSON.stringify({ mch_no: 'MCH-BODY', name: 'x' })
  expect(await send(json.padEnd(65_536))).toBe('200')
  expect(await send(json.padEnd(65_537))).toBe('413')
  for (const wrong of ['{', '[]', '"x"', 'null', '1', new Uint8Array([0xff, 0xfe])]) {
    expect(await send(wrong), String(wrong)).toBe('400 body')
  }
  expect(await send('')).toBe('400 mch_no')
  expect(await send(`{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`)).toBe('400 mch_no')
  const parts = [x(100), x(101), '%00', '%20', '%F0%9F%92%B0', '%ff', 'a%2fb', '..', '%2e%2e', "'", 'a;b']
  const asked = parts.flatMap((part) => [
    `merchants/${part}`,
    `orders/${part}/${order}`,
    `orders/MCH1000000/${part}`,
    `bills/MCH1000000/${part}/link`,
    `notifications/MCH1000000/${order}/${part}/tries`,
    `sandbox/orders/MCH1000000/${part}/operations`,
    `sandbox/faults/${part}`,
  ])
  const answers = await inBatches(asked, (path) => admin.get(path))
  // `..` shortens the path before it is sent; what is there then is a list.
  expect(
    wrongRows(asked, (path, index) => [
      path,
      answers[index]?.status,
      /\/(\.\.|%2e%2e)$/.test(path) ? answers[index]?.status : 404,
    ]),
  ).toEqual([])
  expect(answers.filter(({ status }) => status >= 500)).toEqual([])
})

it('has answered nothing with 5xx, and written no error', () => {
  const bad = gateway.logged().filter(({ level, status }) => Number(level) >= 50 || Number(status) >= 500)
  expect(bad).toEqual([])
})
