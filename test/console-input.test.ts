/** Whatever is sent to the console's API, it answers below 500, in JSON, and says what is wrong. */
import { ROLES } from '@acopay/protocol/console'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { place } from './support/merchant.ts'
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
const odd = fc.oneof(fc.constantFrom(...ODD), fc.string({ maxLength: 60, unit: 'binary' }))
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
]
const LISTS = [
  'orders',
  'orders.csv',
  'refunds',
  'reversals',
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
  'users',
  'merchants',
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
    'day',
    'kind',
    'channel',
  ],
  ...[
    'password',
    'new_password',
    'code',
    'deed',
    'scenario',
    'attempt_no',
    'description',
    'notify',
    'faults',
    'totp',
    'settled',
  ],
]
const deeds = (one: string): (readonly ['POST' | 'PUT' | 'DELETE', string])[] => [
  ...([
    ['POST', `orders/${one}/${order}/close`],
    ['POST', `orders/MCH1000000/${one}/refunds`],
    ['POST', 'notifications/resend'],
  ] as const),
  ...([
    ['POST', 'users'],
    ['PUT', `users/${one}`],
    ['POST', 'merchants'],
    ['PUT', `merchants/${one}`],
  ] as const),
  ...([
    ['POST', `merchants/MCH1000000/apps`],
    ['PUT', `merchants/MCH1000000/apps/${one}`],
    ['POST', 'merchants/MCH1000000/keys'],
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
    ['POST', 'sandbox/orders'],
    ['PUT', `sandbox/faults/${one}`],
  ] as const),
  ...([
    ['POST', `sandbox/orders/MCH1000000/${one}/deeds`],
    ['POST', `sandbox/orders/MCH1000000/${order}/deeds`],
    ['POST', 'session'],
  ] as const),
]

async function answers(ask: Promise<{ status: number; body: unknown; headers: Headers }>, what: string): Promise<void> {
  const { status, body, headers } = await ask
  expect(status, what).toBeLessThan(500)
  if (status !== 200)
    expect(body, what).toMatchObject({ error: expect.any(String), message: { zh: expect.any(String) } })
  else expect(headers.get('content-type'), what).toMatch(/json|csv/)
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

it('to a deed with anything in its path and its body', async () => {
  const body = fc.dictionary(fc.constantFrom(...FIELDS), oddValue, { maxKeys: 6 })
  await fc.assert(
    fc.asyncProperty(fc.nat(200), odd, body, fc.nat(4), async (which, one, sent, who) => {
      const all = deeds(encodeURIComponent(Buffer.from(one).toString()) || '%20')
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
