/** Whatever is sent to the console's API, it answers below 500, in JSON, and says what is wrong. */
import { ROLES } from '@acopay/protocol/console'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { anyText } from './support/any-text.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { place } from './support/merchant.ts'
import { inBatches } from './support/tables.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let clients: ConsoleClient[]
let order = ''
beforeAll(async () => {
  gateway = await testWorld()
  for (const role of ROLES) await addUser(gateway, role.replace('_', '-'), role)
  clients = await Promise.all(ROLES.map((role) => signedIn(gateway, role.replace('_', '-'))))
  order = await place(gateway.demo)
})
afterAll(() => gateway.stop())

const ODD = [
  ...['', ' ', '\u0000', 'a\u0000b', '\ud800', '💰', '-1', '0', '1e9', '99999999999999999999', '0.01', '-0.01', '12.5'],
  ...[
    '2026-02-31',
    '0000-00-00',
    '0000-01-01',
    '9999-99-99',
    '2026-02-31T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2026-01-01T00:00:00+99:99',
  ],
  ...[
    "'; drop table orders; --",
    '%',
    '%00',
    '../..',
    '*',
    'null',
    'x'.repeat(5000),
    'AP',
    'AQ',
    'DEAD',
    'SUCCESS',
    'true',
    '1.2.3.4',
    '.',
  ],
]
const odd = fc.oneof(fc.constantFrom(...ODD), anyText({ maxLength: 60 }))
const oddValue = fc.oneof(
  odd,
  fc.constant(null),
  fc.boolean(),
  fc.double(),
  fc.integer(),
  fc.array(odd, { maxLength: 3 }),
  fc.object({ maxDepth: 1 }),
)

const QUERIES = [
  'number',
  'mch_no',
  'state',
  'channel',
  'amount_min',
  'amount_max',
  'from',
  'until',
  'after',
  'limit',
  'day',
  'settled',
  'username',
  'action',
  'transaction_no',
  'app_no',
  'sent_back',
  'notified',
  'sort',
  'search',
  'text',
  'language',
]
const LISTS = [
  'orders',
  'orders.csv',
  'orders.xlsx',
  'totals/orders',
  'refunds.csv',
  'refunds',
  'reversals',
  'sent-back',
  'bulk/preview',
  'figures',
  'figures.csv',
  'notifications',
  'bills',
  'reconciliations',
  'differences',
  'unmatched-payments',
  'jobs',
  'notifications/dead',
  'bills/MCH1000000/2026-02-28/comparison',
  'overview',
  'audit',
  'audit.jsonl',
  'passkeys',
  'users',
  'invitations',
  'merchants',
  'alarms',
  'alarm-channels',
  'find',
  'merchants.csv',
  'audit.xlsx',
  'statements/MCH1000000/2026-02/csv',
]
const FIELDS = [
  ...[
    'mch_no',
    'transaction_no',
    'seq',
    'dead',
    'from',
    'until',
    'mch_refund_no',
    'amount',
    'reason',
    'username',
    'role',
    'enabled',
    'unlock',
  ],
  ...[
    'name',
    'app_no',
    'allowed_ips',
    'rate_per_second',
    'public_key',
    'overlap_hours',
    'generate',
    'settings',
    'note',
    'for_merchant',
    'tags',
    'orders',
    'day',
    'kind',
    'channel',
  ],
  ...[
    'password',
    'new_password',
    'code',
    'operation',
    'scenario',
    'attempt_no',
    'description',
    'notify',
    'faults',
    'totp',
    'settled',
    'passkey',
  ],
  ...['url', 'secret', 'host', 'port', 'security', 'user', 'sender', 'recipients'],
  ...['channels', 'return_url', 'brand_color', 'logo', 'told_of_sent_back', 'token'],
]
const operations = (one: string): (readonly ['POST' | 'PUT' | 'DELETE', string])[] => [
  ...([
    ['POST', `orders/${one}/${order}/close`],
    ['POST', `orders/${one}/${order}/notes`],
    ['PUT', `orders/MCH1000000/${one}/tags`],
    ['POST', 'bulk/close'],
    ['POST', 'bulk/resend'],
    ['POST', `bulk/requests/${one}`],
    ['DELETE', `bulk/requests/${one}`],
    ['POST', `orders/MCH1000000/${one}/refunds`],
    ['POST', 'notifications/resend'],
  ] as const),
  ...([
    ['POST', 'users'],
    ['PUT', `users/${one}`],
    ['POST', 'invitations'],
    ['DELETE', `invitations/${one}`],
    ['POST', 'invitation'],
    ['POST', 'invitation/accept'],
    ['POST', 'merchants'],
    ['PUT', `merchants/${one}`],
  ] as const),
  ...([
    ['POST', `merchants/MCH1000000/apps`],
    ['PUT', `merchants/MCH1000000/apps/${one}`],
    ['POST', 'merchants/MCH1000000/keys'],
  ] as const),
  ...([
    ['POST', 'platform-keys'],
    ['DELETE', `platform-keys/${one}`],
  ] as const),
  ...([
    ['POST', 'alarm-channels'],
    ['PUT', `alarm-channels/${one}`],
    ['DELETE', `alarm-channels/${one}`],
    ['POST', `alarm-channels/${one}/test`],
  ] as const),
  ...([
    ['DELETE', `merchants/MCH1000000/keys/${one}`],
    ['PUT', `merchants/MCH1000000/channels/${one}`],
  ] as const),
  ...([
    ['PUT', 'merchants/MCH1000000/channels/wechat'],
    ['POST', 'differences/settle'],
    ['POST', 'unmatched-payments/settle'],
    ['PUT', 'session/password'],
  ] as const),
  ...([
    ['PUT', 'session/totp'],
    ['DELETE', 'session/totp'],
    ['DELETE', `sessions/${one}`],
    ['POST', 'passkeys'],
    ['POST', 'session/provider'],
    ['POST', 'provider'],
    ['POST', 'provider/second'],
    ['DELETE', `passkeys/${one}`],
    ['POST', 'session/proof/challenge'],
    ['POST', `refund-requests/MCH1000000/${one}`],
    ['DELETE', `refund-requests/MCH1000000/${one}`],
    ['POST', 'sandbox/orders'],
    ['PUT', `sandbox/faults/${one}`],
    ['POST', 'sandbox/time'],
  ] as const),
  ...([
    ['POST', `sandbox/orders/MCH1000000/${one}/operations`],
    ['POST', `sandbox/orders/MCH1000000/${order}/operations`],
    ['POST', 'session'],
  ] as const),
]

async function answers(ask: Promise<{ status: number; body: unknown; headers: Headers }>, what: string): Promise<void> {
  const { status, body, headers } = await ask
  expect(status, what).toBeLessThan(500)
  if (status !== 200)
    expect(body, what).toMatchObject({ error: expect.any(String), message: { zh: expect.any(String) } })
  else expect(headers.get('content-type'), what).toMatch(/json|csv|spreadsheetml/)
}

it('to a question with anything in its fields', async () => {
  const queries = fc.dictionary(fc.constantFrom(...QUERIES), odd, { maxKeys: 4 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...LISTS), queries, fc.nat(4), async (list, query, who) => {
      const path = `${list}?${new URLSearchParams(query)}`
      await answers((clients[who] as ConsoleClient).get(path), path)
    }),
    { numRuns: 400 },
  )
})

it('to an operation with anything in its path and its body', async () => {
  const body = fc.dictionary(fc.constantFrom(...FIELDS), oddValue, { maxKeys: 6 })
  await fc.assert(
    fc.asyncProperty(fc.nat(200), odd, body, fc.nat(4), async (which, one, sent, who) => {
      const all = operations(encodeURIComponent(Buffer.from(one).toString()) || '%20')
      const [method, path] = all[which % all.length] as readonly ['POST', string]
      // Guessing wrong passwords is slow on purpose, and tested elsewhere.
      const { password: _password, new_password: _fresh, ...rest } = sent
      await answers(
        (clients[who] as ConsoleClient).send(method, path, rest),
        `${method} ${path} ${JSON.stringify(rest)}`,
      )
    }),
    { numRuns: 600 },
  )
  // What was sent came to the handlers: everybody is still signed in.
  expect((await clients[0]?.get('orders'))?.status).toBe(200)
})

/** Values that are no text, and of which a careless `String()` or `Number()` throws. */
const NO_TEXTS: unknown[] = [
  { toString: 1, valueOf: 1 },
  { toString: null },
  [{ toString: 1, valueOf: 1 }],
  [[[]]],
  {},
  1e300,
]

it('to every operation whose fields cannot be turned into text', async () => {
  const admin = clients[ROLES.indexOf('platform_admin')] as ConsoleClient
  // Guessing wrong passwords is slow on purpose, and tested elsewhere.
  const fields = FIELDS.filter((field) => !['password', 'new_password', 'code'].includes(field))
  const rows = operations(order).flatMap(([method, path]) => NO_TEXTS.map((value) => ({ method, path, value })))
  const answers = await inBatches(rows, ({ method, path, value }) =>
    admin.send(method, path, Object.fromEntries(fields.map((field) => [field, value]))),
  )
  const broken = rows.filter((_, index) => (answers[index]?.status ?? 0) >= 500)
  expect(broken.map(({ method, path, value }) => `${method} ${path} ${JSON.stringify(value)}`)).toEqual([])
})

it('to the operations that note or read more than texts, with every value that is none', async () => {
  const admin = clients[ROLES.indexOf('platform_admin')] as ConsoleClient
  const at = `orders/MCH1000000/${order}`
  const operation = { mch_no: 'MCH1000000', transaction_no: order }
  const settings = { mchId: '1900000001', appId: 'wx1', serialNo: 'x', mchPrivateKey: 'x', apiV3Key: 'x'.repeat(32) }
  const rows = NO_TEXTS.flatMap((value): [method: 'POST' | 'PUT', path: string, body: Record<string, unknown>][] => [
    ['POST', `${at}/refunds`, { mch_refund_no: value, amount: value, reason: value }],
    ['POST', 'merchants', { mch_no: value, name: value }],
    ['PUT', 'merchants/MCH1000000', { allowed_ips: [value], rate_per_second: value }],
    ['POST', 'merchants/MCH1000000/apps', { app_no: value, name: value }],
    ['POST', 'users', { username: value, role: value, mch_no: value }],
    ['POST', 'notifications/resend', { ...operation, seq: value, from: value, until: value, dead: value }],
    ['POST', `sandbox/orders/MCH1000000/${order}/operations`, { operation: value, scenario: value }],
    ['POST', 'sandbox/orders', { amount: value, description: value, notify: value }],
    ['POST', 'sandbox/time', { to: value }],
    [
      'PUT',
      'merchants/MCH1000000/channels/wechat',
      { settings: { ...settings, apiV3Key: value, platformKeys: value } },
    ],
    [
      'PUT',
      'merchants/MCH1000000/channels/wechat',
      { settings: { ...settings, platformKeys: JSON.stringify([{ id: value, publicKey: value }]) } },
    ],
  ])
  const answers = await inBatches(rows, ([method, path, body]) => admin.send(method, path, body))
  const broken = rows.filter((_, index) => (answers[index]?.status ?? 0) >= 500)
  expect(broken.map((row) => JSON.stringify(row))).toEqual([])
  expect(gateway.logged().filter(({ msg }) => msg === 'request failed')).toEqual([])
})
