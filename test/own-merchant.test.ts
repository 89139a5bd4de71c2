/**
 * Merchants' own people, over the rows of two merchants that have one of everything: whatever the console's API can be asked by GET, one
 * of them is told of the own merchant what the platform is told of it, and nothing of the other. The routes are those that are registered.
 */
import { readXlsx } from 'hucre/xlsx'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { invite } from '../apps/server/src/actions/console/invitations.ts'
import { masterKeysOf } from '../apps/server/src/security/vault.ts'
import { sealSettings } from '../apps/server/src/upstream/accounts.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { no, START, writeConsoleRows } from './support/console-rows.ts'
import { routesOf } from './support/routes.ts'
import { inBatches } from './support/tables.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const [OWN, OTHER] = ['MCH-A', 'MCH-B']
const PEOPLE = ['a-admin', 'a-viewer'] as const

const ACCOUNTS = {
  alipay: { appId: '2021', sellerId: '2088', appPrivateKey: 'a secret' },
  wechat: { appId: 'wx1', platformKeys: [{ keyId: 'k' }], apiV3Key: 'a secret' },
}

let gateway: TestWorld
const as = {} as Record<(typeof PEOPLE)[number] | 'admin', ConsoleClient>
beforeAll(async () => {
  gateway = await testWorld({ start: START })
  await writeConsoleRows(gateway, gateway.demo.platformPublicKey)
  await addUser(gateway, 'admin', 'platform_admin')
  await addUser(gateway, 'a-admin', 'merchant_admin', { mchNo: OWN })
  await addUser(gateway, 'a-viewer', 'merchant_viewer', { mchNo: OWN })
  await invite(gateway.world, { username: 'b-guest', role: 'merchant_viewer', mchNo: OTHER, invitedBy: 'admin' })
  await invite(gateway.world, { username: 'guest', role: 'operator', mchNo: null, invitedBy: 'admin' })
  await gateway.world.pool.query(
    `insert into order_note (mch_no, transaction_no, note_no, at, username, for_merchant, note)
     values ($1, $2, $3, $4, 'admin', false, 'among ourselves')`,
    [OWN, no('AP', 'A', 1130), `ON${'0'.repeat(36)}`, START],
  )
  for (const [channel, settings] of Object.entries(ACCOUNTS)) {
    const sealed = sealSettings(masterKeysOf(gateway.masterKey), { mchNo: OWN, channel }, settings)
    const sql = 'update channel_account set settings_sealed = $1 where mch_no = $2 and channel = $3'
    await gateway.world.pool.query(sql, [sealed, OWN, channel])
  }
  for (const name of ['admin', ...PEOPLE] as const) as[name] = await signedIn(gateway, name)
})
afterAll(() => gateway.stop())

/** What is the other merchant's, or the platform's alone: numbers, names, people, descriptions, amounts that only it has. */
const FOREIGN = [OTHER, '商户B', 'MCH-C', 'c-open', 'b-guest', '"guest"', '"admin"', 'among ourselves']
const FOREIGN_ORDERS = Array.from({ length: 6 }, (_, count) => no('AP', 'B', 1130 + count))
const FOREIGN_REFUNDS = [1141, 1142, 1143, 1151, 1152].map((hhmm) => no('AR', 'B', hhmm))
const NOT_OURS = [...FOREIGN, ...FOREIGN_ORDERS, ...FOREIGN_REFUNDS, '22.50', '"B 1"']

/** What is about the caller, about the installation, or has no list. */
const NOT_OF_A_MERCHANT = /^(session|sessions|passkeys|provider|platform-keys|alarms|alarm-channels|sandbox)\b/

const PARTS: Record<string, string> = {
  mch_no: OWN,
  transaction_no: no('AP', 'A', 1130),
  seq: '1',
  bill_day: '2026-02-28',
  month: '2026-03',
}
const QUERIES: Record<string, string> = { find: 'text=12.50', 'bulk/preview': 'operation=close&numbers=trade-1,UP1' }

function paths(): string[] {
  const gets = routesOf(gateway.app).flatMap((route) => /^GET \/console\/api\/(.+[^*])$/.exec(route)?.[1] ?? [])
  return gets
    .filter((path) => !NOT_OF_A_MERCHANT.test(path) || path === 'session/provider')
    .map((path) => path.replace(/:(\w+)/g, (_all, name: string) => PARTS[name] ?? name))
    .map((path) => (QUERIES[path] === undefined ? path : `${path}?${QUERIES[path]}`))
}

/** The text of an answer; of a workbook, that of its cells. */
async function textOf(who: ConsoleClient, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${gateway.demo.baseUrl}/console/api/${path}`, { headers: { cookie: who.cookie } })
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (!(response.headers.get('content-type') ?? '').includes('spreadsheetml')) {
    return { status: response.status, text: Buffer.from(bytes).toString('utf8') }
  }
  return { status: response.status, text: JSON.stringify(await readXlsx(bytes)) }
}

it('are told nothing of another merchant by any list, file, figure, search or page', async () => {
  const asked = paths().flatMap((path) => PEOPLE.map((name) => ({ path, name })))
  const answers = await inBatches(asked, ({ path, name }) => textOf(as[name], path))
  const leaks = asked.flatMap(({ path, name }, index) => {
    const text = answers[index]?.text ?? ''
    return NOT_OURS.filter((one) => text.includes(one)).map((one) => `${name} ${path}: ${one}`)
  })
  // Who invited, and who did something to it, is said to the merchant by name.
  expect(leaks).toEqual([])
  // The rows are written by hand, and so no evidence of them can be signed.
  const failures = asked.filter(
    ({ path }, index) => !path.includes('/evidence') && ![200, 403, 404].includes(answers[index]?.status ?? 0),
  )
  expect(failures.map(({ path, name }) => `${name} ${path}`)).toEqual([])
  expect(asked.length).toBeGreaterThanOrEqual(90)
})

it('are told of their own merchant what the platform is told of it, as far as their role goes', async () => {
  const lists = paths().filter((path) => !path.includes(OWN) && !path.includes('?'))
  const told: string[] = []
  for (const path of lists) {
    const own = await textOf(as['a-admin'], path)
    if (own.status !== 200) continue
    const more = path.includes('audit') ? '&until=2026-03-01T03:59:59Z' : ''
    const [mine, theirs] = [
      await textOf(as['a-admin'], `${path}?limit=20${more}`),
      await textOf(as.admin, `${path}?mch_no=${OWN}&limit=20${more}`),
    ]
    // These know no such filter, or answer to who asks.
    if (
      [
        'users',
        'invitations',
        'merchants',
        'merchants.csv',
        'merchants.xlsx',
        'totals/merchants',
        'session/provider',
      ].includes(path)
    )
      continue
    // Alarms are the platform's.
    const withoutAlarms = (text: string): string => text.replace(/,"alarms\w*":(\{[^}]*\}|\d+|null)/, '')
    expect(withoutAlarms(mine.text), path).toBe(withoutAlarms(theirs.text))
    told.push(path)
  }
  expect(told).toEqual(
    expect.arrayContaining([
      'orders',
      'refunds',
      'reversals',
      'sent-back',
      'notifications',
      'bills',
      'figures',
      'overview',
      'jobs',
      'orders.csv',
      'orders.xlsx',
      'totals/orders',
    ]),
  )
  const people = (await as['a-admin'].get('users')).body.rows as { username: string }[]
  expect(people.map(({ username }) => username)).toEqual(['a-admin', 'a-viewer', 'b-locked'])
  expect((await as['a-admin'].get('merchants')).body.rows).toMatchObject([{ mch_no: OWN }])
  expect((await as['a-viewer'].get('users')).status).toBe(403)
})

it('manage the keys, apps, addresses and people of their merchant by their role, and not of another', async () => {
  const operations = (mchNo: string): [method: 'POST' | 'PUT', path: string, body: object][] => [
    ['PUT', `merchants/${mchNo}`, { allowed_ips: ['192.0.2.0/24'] }],
    ['POST', `merchants/${mchNo}/apps`, { app_no: 'APP-OF-OWN', name: '新店' }],
    ['PUT', `merchants/${mchNo}/apps/APP1`, { return_url: 'https://shop.example/back', name: '改名' }],
    ['POST', `merchants/${mchNo}/keys`, { generate: true, overlap_hours: 24 }],
    ['POST', 'invitations', { username: `guest-of-${mchNo.toLowerCase()}`, role: 'merchant_viewer', mch_no: mchNo }],
    ['POST', 'users', { username: `user-of-${mchNo.toLowerCase()}`, role: 'merchant_admin', mch_no: mchNo }],
  ]
  for (const [method, path, body] of operations(OTHER)) {
    for (const name of PEOPLE) expect((await as[name].send(method, path, body)).status, `${name} ${path}`).toBe(403)
  }
  for (const [method, path, body] of operations(OWN)) {
    expect((await as['a-viewer'].send(method, path, body)).status, path).toBe(403)
    expect((await as['a-admin'].send(method, path, body)).status, path).toBe(200)
  }
  expect((await as['a-admin'].get(`merchants/${OWN}`)).body).toMatchObject({
    allowed_ips: ['192.0.2.0/24'],
    editable: ['allowed_ips', 'apps', 'keys'],
  })
})
