/**
 * A minute of work is lost: a backup is taken while orders are placed and paid, a minute passes by the test's clock, and the database is
 * set back to the backup. The upstreams' stand-ins go on as they are, and their books are the witness: every fen that they took is in
 * ours, or was sent back, or is in the list of payments that belong to no order.
 */
import './support/only-long.ts'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { addAnsweredCloses, addRestoration, listRestorations, readTimeline } from '@acopay/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { settleRestored } from '../apps/server/src/actions/restored/settle-restored.ts'
import { writeArchiveFile } from '../apps/server/src/commands/archive/archive-file.ts'
import { takeBackup } from '../apps/server/src/commands/archive/take.ts'
import { restoreInto } from '../apps/server/src/commands/restore.ts'
import { answeredClose } from '../apps/server/src/commands/restored.ts'
import type { DemoSettings } from '../apps/server/src/sandbox/demo-merchant.ts'
import { masterKeysOf } from '../apps/server/src/security/vault.ts'
import { readConfig } from '../apps/server/src/start/config.ts'
import { startGateway } from '../apps/server/src/start/gateway.ts'
import { startedOnce, testDatabase } from './support/database.ts'
import { type Answer, call, close, openAttempt, place, query } from './support/merchant.ts'
import { PATIENT } from './support/process.ts'
import { SIZE } from './support/size.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const CHANNELS = ['wechat', 'alipay'] as const
type ChannelName = (typeof CHANNELS)[number]

let test: TestWorld
let folder: string
beforeAll(async () => {
  test = await testWorld()
  folder = mkdtempSync(path.join(tmpdir(), 'acopay-restored-'))
})
afterAll(async () => {
  await test.stop()
  rmSync(folder, { recursive: true })
})

type Story = {
  name: string
  channel: ChannelName
  /** What the merchant knows of it, before, in and after the lost minute. */
  order: string
  attempt: string
  before: () => Promise<void>
  lost: () => Promise<void>
  after: () => Promise<void>
  /** The order's state at the end, and what the upstream keeps of it, in fen; 'stray': the books list it as no order's. */
  state: string
  kept: number
}

const NOTHING = async (): Promise<void> => {}

const payUpstream = async ({ channel, attempt }: Story): Promise<boolean> => {
  const { control } = test.upstreams.of(channel)
  await control.scan(attempt)
  return (await control.pay(attempt)) !== null
}

const open = async (story: Story): Promise<void> => {
  story.attempt = (await openAttempt(test.demo, story.order, story.channel)) ?? 'none'
}

const closed = async (story: Story): Promise<void> => {
  const { data } = await test.whileTimePasses(close(test.demo, story.order))
  expect(data.code, story.name).toBe('SUCCESS')
}

const refund = (story: Story, fen: string): Promise<Answer> => {
  const mch_refund_no = `r-${story.attempt}`
  const params = { transaction_no: story.order, mch_refund_no, refund_amount: fen, refund_reason: 'x' }
  return test.whileTimePasses(call(test.demo, { method: 'POST', path: 'refund', params }))
}

type Made = (story: Story) => Partial<Story>
const STORIES: Record<string, Made> = {
  'open, paid in the lost minute': (it) => ({
    before: () => open(it),
    lost: async () => void (await payUpstream(it)),
    state: 'SUCCESS',
    kept: 1250,
  }),
  'no attempt yet; opened and paid in the lost minute': (it) => ({
    async lost() {
      await open(it)
      await payUpstream(it)
    },
    ...{ state: 'SUCCESS', kept: 1250 },
  }),
  'open, closed in the lost minute, paid afterwards': (it) => ({
    before: () => open(it),
    lost: () => closed(it),
    after: async () => void (await payUpstream(it)),
    ...{ state: 'CLOSED', kept: 0 },
  }),
  'no attempt, closed in the lost minute': (it) => ({ lost: () => closed(it), state: 'CLOSED', kept: 0 }),
  'opened in the lost minute and left open, paid afterwards': (it) => ({
    lost: () => open(it),
    after: async () => void (await payUpstream(it)),
    ...{ state: 'CLOSED', kept: 0 },
  }),
  'closed in the lost minute, then paid: the log says so': (it) => ({
    before: () => open(it),
    async lost() {
      await closed(it)
      // The answer is lost with the gateway: nothing has sent it back.
      await payUpstream(it)
    },
    ...{ state: 'CLOSED', kept: 0 },
  }),
  'closed before, paid and sent back in the lost minute': (it) => ({
    async before() {
      await open(it)
      await closed(it)
    },
    async lost() {
      await payUpstream(it)
      await test.whileTimePasses(test.runJobs())
    },
    ...{ state: 'CLOSED', kept: 0 },
  }),
  'placed and paid in the lost minute': (it) => ({
    async lost() {
      it.order = await place(test.demo)
      await open(it)
      await payUpstream(it)
    },
    ...{ order: 'none', state: 'stray', kept: 1250 },
  }),
  'a part refunded in the lost minute, and asked for again': (it) => ({
    async before() {
      await open(it)
      await payUpstream(it)
    },
    lost: async () => void (await refund(it, '5.00')),
    async after() {
      expect((await refund(it, '5.00')).data.code).toBe('PROCESSING')
    },
    ...{ state: 'REFUND', kept: 750 },
  }),
  'all of it refunded in the lost minute': (it) => ({
    async before() {
      await open(it)
      await payUpstream(it)
    },
    lost: async () => void (await refund(it, '12.50')),
    ...{ state: 'REFUND', kept: 0 },
  }),
  'paid before, nothing since': (it) => ({
    async before() {
      await open(it)
      await payUpstream(it)
    },
    ...{ state: 'SUCCESS', kept: 1250 },
  }),
}

async function storiesOf(channel: ChannelName): Promise<Story[]> {
  const made: Story[] = []
  for (const [name, make] of Object.entries(STORIES)) {
    const blank = { name, channel, attempt: 'none', before: NOTHING, lost: NOTHING, after: NOTHING, state: '', kept: 0 }
    const story: Story = { ...blank, order: '' }
    Object.assign(story, make(story))
    if (story.order !== 'none') story.order = await place(test.demo)
    made.push(story)
  }
  return made
}

/** The upstreams' own documents lie in the same database, and are not the gateway's: they are not set back. */
const upstreamsBooks = async (): Promise<{ key: string; document: string }[]> =>
  (await test.database.pool.query('select key, document from sandbox_book')).rows

async function putUpstreamsBooks(rows: { key: string; document: string }[]): Promise<void> {
  const { pool } = test.database
  await pool.query('delete from sandbox_book')
  await pool.query('insert into sandbox_book select * from unnest($1::text[], $2::text[])', [
    rows.map(({ key }) => key),
    rows.map(({ document }) => document),
  ])
}

it('finds the money of a lost minute, keeps what merchants were told of, and sends back the rest', async () => {
  const { world, database, masterKey } = test
  const master = masterKeysOf(masterKey)
  const quiet = (): void => {}
  const stories: Story[] = []
  for (let round = 0; round < SIZE.lostRounds; round += 1) {
    for (const channel of CHANNELS) stories.push(...(await storiesOf(channel)))
  }
  for (const story of stories) await story.before()

  const file = path.join(folder, 'backup.gz')
  const source = { pool: database.pool, master, now: world.now(), say: quiet }
  // Work goes on while the backup is taken: its moment is one moment all the same.
  const meanwhile = Promise.all(
    CHANNELS.map(async (channel) => openAttempt(test.demo, await place(test.demo), channel)),
  )
  await takeBackup(source, (text) => writeArchiveFile(file, text, { recipients: [], passphraseFile: null }))
  await meanwhile

  test.advance(20_000)
  for (const story of stories) await story.lost()
  test.advance(40_000)
  const theirs = await upstreamsBooks()
  const log = test.logged().map((line) => JSON.stringify(line))

  const from = { file, unlock: { identityFile: null, passphraseFile: null }, isReplacing: true, beganAt: world.now() }
  expect(await restoreInto({ pool: database.pool, master, say: quiet }, from)).toBe(0)
  await putUpstreamsBooks(theirs)
  const named = 'closed in the lost minute, then paid: the log says so'
  const inLog = stories.filter(({ name }) => name === named).map(({ order }) => order)
  const closes = log.map(answeredClose).filter((key) => key !== null && inLog.includes(key.transactionNo))
  expect(await addAnsweredCloses(database.pool, closes as never)).toBe(inLog.length)

  await test.whileTimePasses(settleRestored(world, new AbortController().signal))
  for (const story of stories) await story.after()
  await test.whileTimePasses(test.runJobs())
  // Alipay's refund, an unanswered code, the watch, and then the bills of the lost day.
  for (let hour = 0; hour < 40; hour += 1) {
    test.advance(HOUR)
    await test.upstreams.deliverDue()
    await test.whileTimePasses(test.runJobs())
  }

  const taken = new Map<string, { takenFen: number; returnedFen: number }>()
  for (const channel of CHANNELS) {
    for (const one of await test.upstreams.of(channel).control.taken()) taken.set(one.no, one)
  }
  const strays = new Set(
    (await database.pool.query('select attempt_no as no from stray_payment')).rows.map(({ no }) => no),
  )
  const told: string[] = []
  for (const { name, channel, order, attempt, state, kept } of stories) {
    const { takenFen = 0, returnedFen = 0 } = taken.get(attempt) ?? {}
    const is = strays.has(attempt) ? 'stray' : (await query(test.demo, order)).data.code
    expect([name, channel, is, takenFen - returnedFen]).toEqual([name, channel, state, kept])
    told.push(`${channel.padEnd(6)} ${name.padEnd(56)} taken ${takenFen}, back ${returnedFen}: ${is}`)
  }
  console.log(told.slice(0, 2 * Object.keys(STORIES).length).join('\n'))
  await expectSameBooks(taken, strays)
}, 600_000)

/** Every fen of the upstreams, one by one, and every chain. */
async function expectSameBooks(taken: Map<string, { takenFen: number; returnedFen: number }>, strays: Set<string>) {
  const { pool } = test.database
  const { rows } = await pool.query<{ no: string; taken: string; back: string }>(
    `select p.attempt_no as no, p.amount_fen as taken,
            coalesce((select sum(amount_fen) from reversal r where r.attempt_no = p.attempt_no and state = 'SUCCESS'), 0)
          + coalesce((select sum(amount_fen) from refund f where f.attempt_no = p.attempt_no and state = 'SUCCESS'), 0) as back
       from payment p`,
  )
  const ours = new Map(rows.map(({ no, taken, back }) => [no, { takenFen: Number(taken), returnedFen: Number(back) }]))
  const money = [...taken].filter(([no, { takenFen }]) => takenFen > 0 && !strays.has(no))
  expect(new Map(money.map(([no, { takenFen, returnedFen }]) => [no, { takenFen, returnedFen }]))).toEqual(ours)
  const twice = `select transaction_no from payment where fate = 'keep' group by 1 having count(*) > 1`
  expect((await pool.query(twice)).rows).toEqual([])
  const { rows: orders } = await pool.query<{ no: string }>('select transaction_no as no from orders')
  for (const { no } of orders) expect((await readTimeline(pool, test.demo.mchNo, no)).length).toBeGreaterThan(0)
}

it('a gateway whose database was set back closes what was open before it listens; one that starts beside it waits', async () => {
  const database = await testDatabase('started')
  const home = mkdtempSync(path.join(tmpdir(), 'acopay-home-'))
  startedOnce(home)
  const env = { PORT: '0', LOG_LEVEL: 'silent', DATABASE_URL: database.connectionString, ACOPAY_HOME: home, ...PATIENT }
  const start = () => startGateway(readConfig(env, ''))
  const first = await start()
  const demo = JSON.parse(readFileSync(first.sandbox?.demoFile ?? '', 'utf8')) as DemoSettings
  const orders = [await place(demo), await place(demo)]
  await openAttempt(demo, orders[0] ?? '')
  await first.stop()
  const beganAt = new Date()
  await addRestoration(database.pool, { beganAt, restoredTo: beganAt })

  const both = await Promise.all([start(), start()])
  const { rows } = await database.pool.query('select state, close_reason as why from orders')
  expect(rows).toEqual(orders.map(() => ({ state: 'CLOSED', why: 'OPERATOR' })))
  const [restoration] = await listRestorations(database.pool)
  expect(JSON.parse(restoration?.report ?? '{}')).toMatchObject({ orders: 2, closed: 2, paid: 0, attempts: 0 })
  await Promise.all(both.map((gateway) => gateway.stop()))
  await database.drop()
  rmSync(home, { recursive: true })
}, 120_000)
