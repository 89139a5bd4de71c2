/** The sandbox's clock is moved ahead, and what is due on the way happens as if the time had passed. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { dayOf, NOTIFY_PAUSES_MS } from '@acopay/core'
import { timeText } from '@acopay/protocol'
import { verifyNotification } from '@acopay/sdk'
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../apps/server/src/start/config.ts'
import { type Gateway, startGateway } from '../apps/server/src/start/gateway.ts'
import { addUser, PASSWORD, signedIn } from './support/console.ts'
import {
  call,
  close,
  openAttempt,
  orderParams,
  pay,
  place,
  query,
  type TestGateway,
  testGateway,
} from './support/gateway.ts'
import { expectInvariants, type Taken } from './support/invariants.ts'
import { type Receiver, receiver, SAYS_HEARD } from './support/receiver.ts'

const DAY_S = 86_400
const MINUTE_MS = 60_000
const LOAD = 24

const home = mkdtempSync(path.join(tmpdir(), 'acopay-home-'))
let test: TestGateway
let shop: Receiver
beforeAll(async () => {
  test = await testGateway({}, home)
  shop = await receiver(test.demo.platformPublicKey)
})
afterAll(async () => {
  await test.stop()
  await shop.stop()
})
beforeEach(() => shop.answer(SAYS_HEARD))

const another = (env: Record<string, string> = {}): Promise<Gateway> => {
  const settings = { PORT: '0', LOG_LEVEL: 'silent', DATABASE_URL: test.database.connectionString, ACOPAY_HOME: home }
  return startGateway(readConfig({ ...settings, ...env }, ''))
}

type Time = { time: string; ahead_s: number }

async function asked(to: unknown): Promise<{ status: number; body: Time & { error: string } }> {
  const response = await fetch(`${test.demo.baseUrl}/sandbox/time`, { method: 'POST', body: JSON.stringify({ to }) })
  return { status: response.status, body: (await response.json()) as Time & { error: string } }
}

async function move(to: string): Promise<Time> {
  const { status, body } = await asked(to)
  expect([status, body.error]).toEqual([200, undefined])
  return body
}

const read = async (baseUrl = test.demo.baseUrl): Promise<Time> =>
  (await (await fetch(`${baseUrl}/sandbox/time`)).json()) as Time

const aheadOf = async (baseUrl: string) => (await read(baseUrl)).ahead_s

async function paid(more = {}): Promise<{ transactionNo: string; attemptNo: string }> {
  const transactionNo = await place(test.demo, more)
  const attemptNo = (await openAttempt(test.demo, transactionNo)) ?? ''
  expect(await pay(test.demo, transactionNo, attemptNo)).toBe(true)
  return { transactionNo, attemptNo }
}

async function rows<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
  return (await test.database.pool.query(sql, values)).rows as Row[]
}

it('a fresh sandbox lives now, and every answer says what time it is there', async () => {
  const { time, ahead_s } = await read()
  expect([ahead_s, Math.abs(Date.parse(time) - Date.now()) < MINUTE_MS]).toEqual([0, true])
  const { headers } = await fetch(`${test.demo.baseUrl}/healthz`)
  expect(headers.get('x-acopay-sandbox-ahead')).toBe('0')
  expect(headers.get('x-acopay-sandbox-time')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/)
})

it('what is no time ahead is refused with a sentence, and moves nothing', async () => {
  for (const to of ['-1d', '1d', '', null, undefined, ['+1d'], '2020-01-01T00:00', '+367d']) {
    const { status, body } = await asked(to)
    expect([to, status, typeof body.error]).toEqual([to, 400, 'string'])
  }
  expect((await asked('2020-01-01T00:00')).body.error).toMatch(/只能向前.*only goes forward.*fresh sandbox/)
  for (const body of ['', '7', '{', 'null', '[]']) {
    const response = await fetch(`${test.demo.baseUrl}/sandbox/time`, { method: 'POST', body })
    expect([body, response.status]).toEqual([body, 400])
  }
  expect(await aheadOf(test.demo.baseUrl)).toBe(0)
})

describe('a day of finance in a minute', () => {
  let today: string
  let open: string
  let untold: string
  beforeAll(async () => {
    today = dayOf(Date.parse((await read()).time))
    shop.answer((_told, response) => void response.writeHead(500).end('no'))
    open = await place(test.demo)
    untold = (await paid({ notify_url: shop.url })).transactionNo
    const returned = await paid()
    expect(await pay(test.demo, returned.transactionNo, returned.attemptNo, 'give-back')).toBe(true)
    await move('tomorrow')
    await move('+1d')
  })

  it('an order without an end has expired, at its time', async () => {
    expect((await query(test.demo, open)).data.code).toBe('CLOSED')
    const [order] = await rows<{ reason: string; lateMs: number }>(
      `select close_reason as reason, extract(epoch from (t.entry::json ->> 'at')::timestamptz - o.time_expire) * 1000 as "lateMs"
         from orders o join timeline t using (mch_no, transaction_no) where transaction_no = $1 order by seq desc limit 1`,
      [open],
    )
    expect(order?.reason).toBe('EXPIRED')
    expect(Number(order?.lateMs)).toBeLessThan(MINUTE_MS)
  })

  it('a notification that nothing acknowledged was sent again after every pause, and lies in the dead letters', async () => {
    const tries = await rows<{ at: Date }>('select at from notification_try where transaction_no = $1 order by at', [
      untold,
    ])
    const pausesMs = tries.slice(1).map(({ at }, index) => at.getTime() - (tries[index]?.at.getTime() ?? 0))
    expect(pausesMs).toHaveLength(NOTIFY_PAUSES_MS.length)
    const late = pausesMs.map((ms, index) => ms - (NOTIFY_PAUSES_MS[index] ?? 0))
    expect(late.filter((ms) => ms < 0 || ms > MINUTE_MS)).toEqual([])
    expect(await rows('select state from notification where transaction_no = $1', [untold])).toEqual([
      { state: 'DEAD' },
    ])
  })

  it("the day's bill is there, and the comparison has found what the upstream refunded by itself", async () => {
    const bill = await call(test.demo, { method: 'GET', path: 'bill', params: { bill_date: today } })
    expect(bill.data.code).toBe('SUCCESS')
    const found = await rows('select day::text, kind, settled_by from reconciliation_difference')
    expect(found).toEqual([expect.objectContaining({ kind: 'PAYMENT_RETURNED' })])
  })
})

it('all gateways on one database live at that time when the answer comes, and one that starts later, too', async () => {
  const other = await another()
  const { ahead_s } = await move('+1h')
  expect(await aheadOf(other.url)).toBe(ahead_s)
  await other.stop()
  const later = await another()
  expect(await aheadOf(later.url)).toBe(ahead_s)
  await later.stop()
})

it('in production there is no such path, and a database whose clock was moved is refused', async () => {
  const production = { ACOPAY_MODE: 'production', ACOPAY_PUBLIC_URL: 'https://pay.example.com' }
  await expect(another(production)).rejects.toThrow(/不能用于生产.*not for production/)
})

describe('a day ahead', () => {
  beforeAll(async () => {
    await move('+1d')
  })

  it("a merchant whose clock is the machine's places, closes, and takes notifications for fresh", async () => {
    const closed = await place(test.demo)
    expect((await close(test.demo, closed)).data.code).toBe('SUCCESS')
    const before = shop.told().length
    await paid({ notify_url: shop.url })
    await expect.poll(() => shop.told().length, { timeout: 30_000 }).toBeGreaterThan(before)
    const { platformPublicKey, mchNo } = test.demo
    const body = JSON.stringify(shop.told().at(-1))
    expect(verifyNotification(body, { platformPublicKey, mchNo })).toMatchObject({ kind: 'payment' })
  })

  it("an order's end by the machine's clock is in the past: the refusal says what time it is in the sandbox", async () => {
    const params = orderParams(test.demo, { time_expire: timeText(new Date(Date.now() + 30 * MINUTE_MS)) })
    const { message, fieldErrors } = await call(test.demo, { method: 'POST', path: 'trade', params })
    expect([message, fieldErrors]).toEqual(['PARAM_ERROR', expect.stringContaining((await read()).time.slice(0, 13))])
  })

  it('an authenticator goes by the time outside', async () => {
    await addUser(test, 'phone', 'operator')
    const phone = await signedIn(test, 'phone')
    const { secret } = (await phone.send('POST', 'session/totp', { password: PASSWORD })).body
    const code = (atMs: number) => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: atMs })
    const ahead = code(Date.now() + (await read()).ahead_s * 1000)
    expect((await phone.send('PUT', 'session/totp', { code: ahead })).status).toBe(400)
    expect((await phone.send('PUT', 'session/totp', { code: code(Date.now()) })).status).toBe(200)
  })

  it('who is signed in stays so, has just proven who they are, and finds the move in the audit log', async () => {
    await addUser(test, 'admin-on-the-way', 'platform_admin')
    const admin = await signedIn(test, 'admin-on-the-way')
    const moved = await admin.send('POST', 'sandbox/time', { to: '+1d' })
    expect([moved.status, moved.body.ahead_s]).toEqual([200, await aheadOf(test.demo.baseUrl)])
    expect(Number(moved.headers.get('x-acopay-sandbox-ahead'))).toBeGreaterThan(DAY_S)
    expect((await admin.get('orders')).status).toBe(200)
    expect((await admin.send('POST', 'users', { username: 'new-one', role: 'finance' })).status).toBe(200)
    const { rows: audit } = (await admin.get('audit')).body
    expect(audit).toContainEqual(expect.objectContaining({ action: 'sandbox.time', outcome: 'DONE' }))
  })
})

it('a day passes while orders are closed and paid: every promise is kept', async () => {
  const toldClosed: string[] = []
  const oneOrder = async (index: number): Promise<void> => {
    const channel = index % 2 === 0 ? 'wechat' : 'alipay'
    const transactionNo = await place(test.demo, { notify_url: shop.url })
    const attemptNo = await openAttempt(test.demo, transactionNo, channel)
    const [closed] = await Promise.all([
      close(test.demo, transactionNo),
      attemptNo === null ? null : pay(test.demo, transactionNo, attemptNo),
    ])
    if (closed.data.code === 'SUCCESS') toldClosed.push(transactionNo)
  }
  const lanes = Array.from({ length: 4 }, async (_, lane) => {
    for (let index = lane; index < LOAD; index += 4) await oneOrder(index)
  })
  await Promise.all([...lanes, move('+1d')])
  await move('+1d')
  const { mchNo } = test.demo
  const taken = await Promise.all(
    ['wechat', 'alipay'].map(async (channel) => {
      const response = await fetch(`${test.demo.baseUrl}/sandbox/upstreams/${channel}/taken`)
      const list = (await response.json()) as { attempt_no: string; taken_fen: number; returned_fen: number }[]
      return list.map((one): Taken => ({ no: one.attempt_no, takenFen: one.taken_fen, returnedFen: one.returned_fen }))
    }),
  )
  await expectInvariants(test.database.pool, mchNo, taken.flat())
  const states = await Promise.all(toldClosed.map(async (no) => (await query(test.demo, no)).data.code))
  expect(states.filter((state) => state !== 'CLOSED')).toEqual([])
})
