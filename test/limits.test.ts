/**
 * The fixed limits that a payer, a merchant or an operator can meet, and those that keep one of them from starving another: each
 * at the last value that is allowed and at the first that is not. docs/settings-tested.md lists every such number.
 */
import type { Channel } from '@acopay/channels'
import type { Session } from '@acopay/protocol/console'
import { openPool, type Pool } from '@acopay/store'
import { addConsoleUser } from '@acopay/store/console'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { beginSession } from '../apps/server/src/actions/console/session.ts'
import { resendNotifications } from '../apps/server/src/actions/notification/resend-notifications.ts'
import { closeOrder } from '../apps/server/src/actions/order/close-order.ts'
import { watchAttempt } from '../apps/server/src/actions/payment/watch-attempt.ts'
import { reconcileDay } from '../apps/server/src/actions/reconciliation/reconcile-day.ts'
import { countHourlyFigures } from '../apps/server/src/actions/statistics/count-hours.ts'
import { notifier } from '../apps/server/src/jobs/notifier.ts'
import { runRound } from '../apps/server/src/jobs/worker.ts'
import type { World } from '../apps/server/src/world.ts'
import { type ConsoleClient, consoleClient } from './support/console.ts'
import { call, openAttempt, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let gateway: TestWorld
/** For many rows at once, which may take a slow machine longer than the gateway's own statements may. */
let rowsOfTest: Pool
let operator: ConsoleClient
/** What the upstream does in place of what it does else; each test names its own. */
let upstream: Partial<Channel> = {}

beforeAll(async () => {
  gateway = await testWorld({ upstream: () => upstream })
  rowsOfTest = openPool({ connectionString: gateway.database.connectionString, max: 2, statementTimeoutMs: 60_000 })
  const user = { username: 'operator', role: 'operator', mchNo: null, mustChangePassword: false } as const
  await addConsoleUser(gateway.database.pool, { ...user, passwordHash: 'none' }, gateway.world.now())
})
afterEach(async () => {
  upstream = {}
  await run('delete from notification_try')
  await run('delete from notification')
})
afterAll(async () => {
  await rowsOfTest.end()
  await gateway.stop()
})

/** The session of before ends while a test moves the clock. */
async function operatorSignsIn(): Promise<void> {
  const { baseUrl } = gateway.demo
  const cookie = `acopay_console=${await beginSession(gateway.world, 'operator', '127.0.0.1')}`
  operator = consoleClient(baseUrl, cookie, (await consoleClient(baseUrl, cookie).get('session')).body as Session)
}

const run = async (sql: string, values: unknown[] = []) => (await rowsOfTest.query(sql, values)).rows
const now = (): Date => gateway.world.now()
const later = (ms: number): Date => new Date(now().getTime() + ms)
/** What was to follow from what happened before has followed, unless it asks the database. */
const settled = () => new Promise(setImmediate)

/** Notifications of one order, all of one state: `count` of them, each a second younger than the one before. */
async function notificationsOf(order: string, count: number, state: 'PENDING' | 'DELIVERED' | 'DEAD'): Promise<void> {
  await run(
    `with entry as (
       insert into timeline select mch_no, transaction_no, 1000 + n, at, entry, hash
         from timeline, generate_series(1, $2) n where transaction_no = $1 and seq = 1 returning *)
     insert into notification (mch_no, transaction_no, seq, kind, url, host, news, state, due_at, round_at, created_at)
     select mch_no, transaction_no, seq, 'payment', 'https://merchant.example/', 'merchant.example', '{}', $3, written, written,
            written + (seq - 1000) * interval '1 s' from entry, (values ($4::timestamptz)) v (written)`,
    [order, count, state, now()],
  )
}

/** Orders like this one, with numbers of their own. Returns these. */
async function copiesOf(order: string, count: number): Promise<string[]> {
  const rows = await run(
    `with copy as (
       insert into orders select (jsonb_populate_record(o, jsonb_build_object('mch_trade_no', o.mch_trade_no || n,
           'transaction_no', left(o.transaction_no, 33) || lpad(n::text, 5, '0')))).*
         from orders o, generate_series(1, $2) n where transaction_no = $1 returning *)
     insert into timeline select c.mch_no, c.transaction_no, t.seq, t.at, t.entry, t.hash
       from copy c join timeline t on t.transaction_no = $1 and t.seq = 1 returning transaction_no`,
    [order, count],
  )
  return rows.map(({ transaction_no }) => transaction_no as string)
}

describe('a payer', () => {
  it('opens twenty attempts of an order and no twenty-first; a code that is shown already is shown again', async () => {
    const order = await place(gateway.demo)
    const number = await openAttempt(gateway.demo, order)
    // As long as an upstream's number may be: 32 characters.
    expect(number).toMatch(/^AT\d{30}$/)
    await run(`update attempt set state = 'SHUT' where attempt_no = $1`, [number])
    await run(
      `insert into attempt select (jsonb_populate_record(a, jsonb_build_object('attempt_no', a.attempt_no || n))).*
         from attempt a, generate_series(1, 18) n where attempt_no = $1`,
      [number],
    )
    const choose = async (channel: string): Promise<number> => {
      const body = JSON.stringify({ channel, method: channel === 'wechat' ? 'native' : 'page' })
      const url = gateway.world.cashierUrl(gateway.demo.mchNo, order)
      return (await fetch(`${url}/attempts`, { method: 'POST', body })).status
    }
    expect(await choose('wechat'), 'the twentieth').toBe(200)
    expect(await choose('alipay'), 'the twenty-first').toBe(429)
    expect(await choose('wechat'), 'the twentieth again').toBe(200)
    await run(`update attempt set state = 'SHUT' where transaction_no = $1`, [order])
    expect(await choose('wechat'), 'another in its place').toBe(429)
    expect((await run('select from attempt where transaction_no = $1', [order])).length).toBe(20)
  })

  it('whose page listens hears a sign of life every 15 seconds, so that no proxy cuts the line', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const order = await place(gateway.demo)
      const leave = new AbortController()
      const url = `${gateway.world.cashierUrl(gateway.demo.mchNo, order)}/events`
      const { body } = await fetch(url, { signal: leave.signal })
      let heard = ''
      const listening = (async () => {
        for await (const chunk of body ?? []) heard += Buffer.from(chunk).toString('utf8')
      })().catch(() => {})
      // Vitest's own waiting would move the faked timers on.
      const until = async (isSo: () => boolean): Promise<void> => {
        while (!isSo()) await settled()
      }
      await until(() => heard.includes('data: '))
      const beats = (): number => heard.split('\n\n').filter((part) => part === ':').length
      const roundTrip = async () => (await fetch(`${gateway.demo.baseUrl}/healthz`)).text()
      vi.advanceTimersByTime(14_999)
      for (const _ of [1, 2, 3]) await roundTrip()
      expect(beats()).toBe(0)
      vi.advanceTimersByTime(1)
      await until(() => beats() === 1)
      vi.advanceTimersByTime(15_000)
      await until(() => beats() === 2)
      leave.abort()
      await listening
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a merchant', () => {
  const ask = (path: 'notifications' | 'notifications/tries', params: Record<string, string>) =>
    call(gateway.demo, { method: 'GET', path, params })

  it('reads its notifications a hundred at a time, and of the tries of one the fifty newest; so does an operator', async () => {
    const order = await place(gateway.demo)
    await notificationsOf(order, 101, 'DELIVERED')
    const seqs = (list: string | null | undefined): number[] =>
      (JSON.parse(list ?? '') as { seq: number }[]).map(({ seq }) => seq)
    const first = await ask('notifications', { transaction_no: order })
    const shown = seqs(first.data.notifications)
    expect([shown.length, shown[0], shown.at(-1)]).toEqual([100, 1101, 1002])
    const second = await ask('notifications', { transaction_no: order, before: first.data.next ?? '' })
    expect([seqs(second.data.notifications), second.data.next]).toEqual([[1001], null])
    await run('delete from notification where seq = 1101')
    const only = await ask('notifications', { transaction_no: order })
    expect([seqs(only.data.notifications).length, only.data.next]).toEqual([100, null])

    await run(
      `insert into notification_try (mch_no, transaction_no, seq, taken, at, ms)
       select $1, $2, 1001, n, $3::timestamptz + n * interval '1 s', 1 from generate_series(1, 51) n`,
      [gateway.demo.mchNo, order, now()],
    )
    // The fifty-first is the newest; the first is not shown.
    const [newest, oldest] = [later(51 * SECOND).getTime(), later(2 * SECOND).getTime()]
    const { data } = await ask('notifications/tries', { transaction_no: order, seq: '1001' })
    const ofMerchant = (JSON.parse(data.tries ?? '') as { time: string }[]).map(({ time }) => Date.parse(time))
    const whole = (ms: number): number => Math.floor(ms / 1000) * 1000
    expect([ofMerchant.length, ofMerchant[0], ofMerchant.at(-1)]).toEqual([50, whole(newest), whole(oldest)])
    await operatorSignsIn()
    const { body } = await operator.get(`notifications/${gateway.demo.mchNo}/${order}/1001/tries`)
    const ofOperator = body.rows.map(({ at }: { at: string }) => Date.parse(at))
    expect([ofOperator.length, ofOperator[0], ofOperator.at(-1)]).toEqual([50, newest, oldest])
  })
})

describe('an operator', () => {
  it('sees a hundred notifications on the page of an order, the newest', async () => {
    const order = await place(gateway.demo)
    await notificationsOf(order, 101, 'DELIVERED')
    await operatorSignsIn()
    const { body } = await operator.get(`orders/${gateway.demo.mchNo}/${order}`)
    const seqs = body.notifications.map(({ seq }: { seq: number }) => seq)
    expect([seqs.length, seqs[0], seqs.at(-1)]).toEqual([100, 1101, 1002])
  })

  it('sends ten thousand dead letters again at once, is told that there are more, and sends the rest with the next call', async () => {
    const { mchNo: mch_no } = gateway.demo
    await notificationsOf(await place(gateway.demo), 10_000, 'DEAD')
    await operatorSignsIn()
    const dead = async () => (await operator.get(`notifications/dead?mch_no=${mch_no}`)).body
    const everything = { dead: { from: null, until: null } }
    const resend = () => resendNotifications({ ...gateway.world, pool: rowsOfTest }, mch_no, everything)
    expect(await dead()).toEqual({ mch_no, count: 10_000, has_more: false })
    await notificationsOf(await place(gateway.demo), 1, 'DEAD')
    expect(await dead()).toEqual({ mch_no, count: 10_000, has_more: true })
    expect(await resend()).toBe(10_000)
    expect(await dead()).toEqual({ mch_no, count: 1, has_more: false })
    expect(await resend()).toBe(1)
  })

  it('finds a rare notification of all merchants among the five hundred newest, and on the next page behind them', async () => {
    const order = await place(gateway.demo)
    await notificationsOf(order, 501, 'DEAD')
    // Seq 1501 is the newest; 1002 is the five-hundredth.
    await run(`update notification set state = 'DELIVERED' where seq in (1002, 1001)`)
    await operatorSignsIn()
    const page = async (after: string) => (await operator.get(`notifications?state=DELIVERED&after=${after}`)).body
    const first = await page('')
    expect(first.rows.map(({ seq }: { seq: number }) => seq)).toEqual([1002])
    const second = await page(encodeURIComponent(first.next))
    expect(second.rows.map(({ seq }: { seq: number }) => seq)).toEqual([1001])
  })

  it('compares a bill of half a million lines with the upstreams, and of a longer one sees only what they say', async () => {
    const { mchNo } = gateway.demo
    await operatorSignsIn()
    const ours = async (lines: number): Promise<string[]> => {
      await run(
        `insert into bill (mch_no, bill_day, lines, file_no, size_bytes, sha256, made_at)
         values ($1, '2026-02-01', $2, 'x', 1, 'x', $3) on conflict (mch_no, bill_day) do update set lines = $2`,
        [mchNo, lines, now()],
      )
      // So that the accounts existed on that day.
      await run(`update channel_account set created_at = '2026-01-01'`)
      const { status, body } = await operator.get(`bills/${mchNo}/2026-02-01/comparison`)
      if (status !== 200) return [String(status)]
      return body.channels.map((one: { ours: object | null }) => (one.ours === null ? 'left out' : 'summed'))
    }
    expect(await ours(500_000)).toEqual(['summed', 'summed'])
    expect(await ours(500_001)).toEqual(['left out', 'left out'])
  })

  it('has the figures of 31 days, and an hour is counted again until ten minutes after its end', async () => {
    gateway.advance(HOUR - (now().getTime() % HOUR))
    expect(await countHourlyFigures(gateway.world)).toBe(744)
    gateway.advance(10 * MINUTE - 1)
    expect(await countHourlyFigures(gateway.world), 'this hour and the last').toBe(2)
    gateway.advance(1)
    expect(await countHourlyFigures(gateway.world), 'this hour and the last, for the last time').toBe(2)
    expect(await countHourlyFigures(gateway.world), 'this hour').toBe(1)
  })
})

describe('one round of the jobs', () => {
  it('runs 32 jobs and 4 bills, ends 1024 expired orders, 100 with attempts, and forgets 5000 nonces; the next one goes on', async () => {
    const { mchNo } = gateway.demo
    const order = await place(gateway.demo)
    await gateway.runJobs()
    const add = (kind: string, subject: string, count: number) =>
      run(
        `insert into job (mch_no, kind, subject, due_at, tries, created_at)
         select $1, $2, format($3, n), $4, 0, $4 from generate_series(1, $5) n`,
        [mchNo, kind, subject, now(), count],
      )
    const rounds = async (): Promise<[number, number, number]> => [
      await runRound(gateway.world),
      await runRound(gateway.world),
      await runRound(gateway.world),
    ]
    // No attempt has such a number: the job throws, and is put off.
    await add('watch_attempt', 'none-%s', 33)
    expect(await rounds(), 'jobs').toEqual([32, 1, 0])
    await add('make_bill', '2026-01-0%s', 5)
    expect(await rounds(), 'bills').toEqual([4, 1, 0])
    await run(`insert into nonce select $1, 'old-' || n, $2 from generate_series(1, 5001) n`, [mchNo, later(-DAY - 1)])
    expect(await rounds(), 'nonces').toEqual([5000, 1, 0])
    await run('update orders set time_expire = $2 where transaction_no = $1', [order, now()])
    await copiesOf(order, 1024)
    expect(await rounds(), 'orders').toEqual([1024, 1, 0])
    const tried = await place(gateway.demo)
    await run('update orders set time_expire = $2, attempts = 1 where transaction_no = $1', [tried, now()])
    await copiesOf(tried, 100)
    // Each writes a job, and 32 jobs run in the same round.
    expect(await rounds(), 'orders with attempts').toEqual([132, 33, 32])
    await run('delete from job')
  })
})

describe('a job that is not done', () => {
  it('raises its alarm an hour after it was written, and one that waits for a bill five days after', async () => {
    upstream = { fetchUpstreamBill: async () => ({ kind: 'later' }) }
    // No attempt has such a number: these throw.
    const rows: [kind: string, subject: string, ageMs: number][] = [
      ['resolve_attempt', 'none-1', HOUR - 1],
      ['resolve_attempt', 'none-2', HOUR],
      ['reconcile_day', 'wechat/2026-02-01', 5 * DAY - 1],
      ['reconcile_day', 'wechat/2026-02-02', 5 * DAY],
    ]
    for (const [kind, subject, ageMs] of rows) {
      await run('insert into job (mch_no, kind, subject, due_at, tries, created_at) values ($1, $2, $3, $4, 0, $5)', [
        ...[gateway.demo.mchNo, kind, subject, now(), later(-ageMs)],
      ])
    }
    expect(await runRound(gateway.world)).toBe(4)
    const alarmed = await run('select subject from job where alarmed_at is not null order by subject')
    expect(alarmed).toEqual([{ subject: 'none-2' }, { subject: 'wechat/2026-02-02' }])
    await run('delete from job')
  })
})

describe('notifications', () => {
  /** A sender whose calls are never answered; `calls` counts them. */
  function unanswered() {
    const seen = { calls: 0 }
    const post: World['post'] = (_url, _body, signal) => {
      seen.calls += 1
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ httpStatus: null, why: 'no answer in time' }))
      })
    }
    return { seen, sender: notifier({ ...gateway.world, post }) }
  }

  it('are sent by one process 256 at a time, and each is held for 20 seconds', async () => {
    const orders = await copiesOf(await place(gateway.demo), 297)
    // 33 for each of nine hosts, of which a host gets 32 at a time: 288 in all.
    await run(
      `insert into notification (mch_no, transaction_no, seq, kind, url, host, news, state, due_at, round_at, created_at)
       select $1, number, 1, 'payment', format('https://host-%s/', place % 9), format('host-%s', place % 9), '{}', 'PENDING',
              $3, $3, $3 from unnest($2::text[]) with ordinality as o (number, place)`,
      [gateway.demo.mchNo, orders, now()],
    )
    const { seen, sender } = unanswered()
    expect(await sender.sendDue()).toBe(256)
    expect(await sender.sendDue()).toBe(0)
    await expect.poll(() => seen.calls).toBe(256)
    expect(await run('select distinct due_at from notification where taken = 1')).toEqual([
      { due_at: later(20 * SECOND) },
    ])
    gateway.advance(5 * SECOND)
    await sender.settled()
  })

  it('that wait for two days are given up a thousand at a time, at once while there are more, and else once a minute', async () => {
    const order = await place(gateway.demo)
    // The first one of the order is not due: it keeps the others from being sent, but not from being given up.
    await notificationsOf(order, 1002, 'PENDING')
    await run('update notification set due_at = $1 where seq = 1001', [later(DAY)])
    const age = (seqs: number[]) =>
      run('update notification set round_at = $2 where seq between $1 and $3', [seqs[0], later(-2 * DAY), seqs[1]])
    const dead = async () => (await run(`select from notification where state = 'DEAD'`)).length
    await age([1002, 2002])
    const { sender } = unanswered()
    await sender.sendDue()
    expect(await dead()).toBe(1000)
    await sender.sendDue()
    expect(await dead()).toBe(1001)
    await run(`update notification set state = 'PENDING' where seq = 1002`)
    gateway.advance(MINUTE - 1)
    await sender.sendDue()
    expect(await dead()).toBe(1000)
    gateway.advance(1)
    await sender.sendDue()
    expect(await dead()).toBe(1001)
  })
})

describe('an upstream that says nothing', () => {
  const hangs = () => {
    const seen = { isAsked: false, hasEnded: false }
    const call = (_ask: unknown, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        seen.isAsked = true
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      })
    return { seen, call }
  }

  it('about its bill of a day is waited for a minute', async () => {
    const { seen, call: fetchUpstreamBill } = hangs()
    upstream = { fetchUpstreamBill }
    const job = { mchNo: gateway.demo.mchNo, kind: 'reconcile_day', subject: 'wechat/2026-02-01', tries: 1 } as const
    const reconciling = reconcileDay(gateway.world, { ...job, createdAt: now() }).finally(() => {
      seen.hasEnded = true
    })
    await expect.poll(() => seen.isAsked).toBe(true)
    gateway.advance(MINUTE - 1)
    await settled()
    expect(seen.hasEnded).toBe(false)
    gateway.advance(1)
    expect(await reconciling).toBe('retry')
  })

  it('about a closed attempt is asked for 30 days after the watch, and no longer', async () => {
    const order = await place(gateway.demo)
    const attemptNo = (await openAttempt(gateway.demo, order)) ?? ''
    upstream = { latePaymentWindowMs: HOUR, query: async () => ({ kind: 'unknown', why: 'HTTP 502' }) }
    await run('update attempt set upstream_expire = $2 where attempt_no = $1', [attemptNo, now()])
    const watch = () => watchAttempt(gateway.world, { mchNo: gateway.demo.mchNo, attemptNo })
    gateway.advance(HOUR - 1)
    expect(await watch()).toBe('retry_soon')
    gateway.advance(1)
    expect(await watch()).toBe('retry')
    gateway.advance(30 * DAY - 1)
    expect(await watch()).toBe('retry')
    gateway.advance(1)
    expect(await watch()).toBe('done')
  })

  it('while one caller closes: a second caller hears within 100 ms what the first one hears', async () => {
    const order = await place(gateway.demo)
    await openAttempt(gateway.demo, order)
    let answers = (): void => {}
    const isSilent = new Promise<void>((resolve) => {
      answers = resolve
    })
    const real = await gateway.world.channelOf(gateway.demo.mchNo, 'wechat')
    let isAsked = false
    upstream = {
      close: async (ref, signal) => {
        isAsked = true
        await isSilent
        return real?.close(ref, signal) ?? { kind: 'unknown', why: 'no channel' }
      },
    }
    const sleeps: number[] = []
    const sleep: World['sleep'] = (ms, signal) => {
      sleeps.push(ms)
      return gateway.world.sleep(ms, signal)
    }
    const ask = { mchNo: gateway.demo.mchNo, ref: { transactionNo: order }, by: 'OPERATOR', nonce: null } as const
    const first = closeOrder(gateway.world, ask)
    await expect.poll(() => isAsked).toBe(true)
    let hasHeard = false
    const second = closeOrder({ ...gateway.world, sleep }, ask).finally(() => {
      hasHeard = true
    })
    await expect.poll(() => sleeps).toEqual([100])
    answers()
    expect(await first).toMatchObject({ outcome: 'closed' })
    gateway.advance(99)
    await settled()
    expect(hasHeard).toBe(false)
    gateway.advance(1)
    expect(await second).toMatchObject({ outcome: 'closed' })
    expect(sleeps).toEqual([100])
  })
})
