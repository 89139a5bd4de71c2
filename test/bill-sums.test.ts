/**
 * A generated day: the bill is made by the job, adds up to the books and to the upstreams' own bills, and is never whole
 * in memory. `npm run bill-day` runs it with 100 000 trades, `BILL_TRADES=1000000 npm run bill-day` with a million.
 */
import { createHash } from 'node:crypto'
import { openPool } from '@acopay/store'
import { expect, it } from 'vitest'
import { call } from './support/merchant.ts'
import { SIZE } from './support/size.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const TRADES = SIZE.billTrades
const DAY = '2026-02-28'
const RSS_GROWTH_MAX = 200 * 1024 * 1024
/** The stand-ins read all they know at once: enough of them to see that the sums agree. */
const COMPARED_MAX = 200_000
const MB = 1024 * 1024

/** Every twentieth payment is late and sent back, every tenth of the others refunded in part. */
async function generate({ database, demo }: TestWorld): Promise<void> {
  const pool = openPool({ connectionString: database.connectionString, max: 1, statementTimeoutMs: 600_000 })
  const client = await pool.connect()
  await client.query(
    `create temporary table trade as
       select g, 'AP' || lpad(g::text, 36, '0') as order_no, 'AT' || lpad(g::text, 30, '0') as attempt_no,
              'UP' || lpad(g::text, 26, '0') as payment_no, 'AR' || lpad(g::text, 36, '0') as refund_no,
              case when g % 2 = 0 then 'wechat' else 'alipay' end as channel, 100 + g % 1000 as fen,
              timestamptz '2026-02-28T00:00:00+08:00' + floor(g * 86399.0 / $1) * interval '1 s' as at,
              g % 20 = 0 as is_late, g % 10 = 1 as is_refunded
         from generate_series(1, $1::integer) g`,
    [TRADES],
  )
  const { mchNo, appNo } = demo
  const write = (sql: string, values: unknown[] = [mchNo]) => client.query(sql, values)
  await write(
    `insert into orders (mch_no, transaction_no, app_no, mch_trade_no, description, amount_fen, currency, time_expire,
       state, close_reason, attempts, success_time, head_seq, head_hash, created_at, changed_at, closed_at)
     select $1, order_no, $2, order_no, '测试订单, "' || g || '"', fen, 'CNY', at + interval '2 hours',
            case when is_late then 'CLOSED' when is_refunded then 'REFUND' else 'SUCCESS' end,
            case when is_late then 'MERCHANT' end, 1, case when not is_late then at end, 1, '', at, at,
            case when is_late then at end from trade`,
    [mchNo, appNo],
  )
  await write(
    `insert into attempt (mch_no, attempt_no, transaction_no, channel, method, amount_fen, state, upstream_expire,
       create_lands_until, created_at, changed_at)
     select $1, attempt_no, order_no, channel, 'native', fen, 'PAID', at + interval '2 hours', at, at, at from trade`,
  )
  await write(
    `insert into payment (mch_no, attempt_no, payment_no, transaction_no, amount_fen, currency, paid_at, fate, booked_at)
     select $1, attempt_no, payment_no, order_no, fen, 'CNY', at, case when is_late then 'reverse' else 'keep' end, at
       from trade`,
  )
  await write(
    `insert into refund (mch_no, refund_no, mch_refund_no, transaction_no, attempt_no, payment_no, amount_fen, reason,
       state, lands_until, success_time, created_at, changed_at)
     select $1, refund_no, refund_no, order_no, attempt_no, payment_no, 50, '退货', 'SUCCESS', at, at, at, at
       from trade where is_refunded`,
  )
  await write(
    `insert into reversal (mch_no, refund_no, transaction_no, attempt_no, payment_no, amount_fen, state, created_at,
       changed_at)
     select $1, refund_no, order_no, attempt_no, payment_no, fen, 'SUCCESS', at, at from trade where is_late`,
  )
  if (TRADES <= COMPARED_MAX) {
    const ms = '(extract(epoch from at) * 1000)::bigint'
    await write(
      `insert into sandbox_book (key, document)
       select channel || '/' || case channel when 'wechat' then '1900000001' else '2021000000000001' end || '/trade/'
              || attempt_no,
              json_build_object('no', attempt_no, 'method', 'native', 'description', 'x', 'totalFen', fen, 'expireMs',
                ${ms}, 'notifyUrl', '', 'state', 'paid', 'isCode', false, 'landsMs', 0, 'shownOpenUntilMs', 0,
                'payment', json_build_object('no', payment_no, 'fen', fen, 'atMs', ${ms}, 'payer', 'p'), 'refunds',
                case when is_late or is_refunded then json_build_array(json_build_object('no', refund_no, 'id',
                  refund_no, 'fen', case when is_late then fen else 50 end, 'atMs', ${ms}, 'doneMs', ${ms}))
                else json_build_array() end, 'notices', json_build_array())
         from trade`,
      [],
    )
  }
  await client.query('analyze')
  client.release()
  await pool.end()
}

type Sums = { paid: bigint; back: bigint }

async function upstreamSums({ world, demo }: TestWorld, name: 'wechat' | 'alipay'): Promise<Sums> {
  const channel = await world.channelOf(demo.mchNo, name)
  const bill = await channel?.fetchUpstreamBill(DAY, AbortSignal.timeout(300_000))
  if (bill?.kind !== 'bill') throw new Error(JSON.stringify(bill))
  const sum = (kind: 'payment' | 'refund') =>
    bill.lines.reduce((total, line) => (line.kind === kind ? total + line.amountFen : total), 0n)
  return { paid: sum('payment'), back: sum('refund') }
}

const fenOf = (yuan = ''): bigint => BigInt(yuan.replace('.', ''))

it(`a day of ${TRADES} trades adds up, in little memory`, async () => {
  const test = await testWorld()
  await generate(test)
  // The merchant is younger than its trades: the bill is made because it is asked for.
  const ask = () => call(test.demo, { method: 'GET', path: 'bill', params: { bill_date: DAY } })
  expect((await ask()).data.code).toBe('BILL_NOT_EXIST')

  global.gc?.()
  const before = process.memoryUsage.rss()
  let peak = before
  const sampling = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 10)
  const started = performance.now()
  await test.runJobs()
  const seconds = (performance.now() - started) / 1000
  clearInterval(sampling)

  const { data } = await ask()
  expect(data.code).toBe('SUCCESS')
  const response = await fetch(data.url ?? '')
  const hash = createHash('sha256')
  const decoder = new TextDecoder()
  const sums = new Map<string, bigint>()
  const totals = new Map<string, string>()
  let [bytes, lines, rest] = [0, 0, '']
  for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
    hash.update(piece)
    bytes += piece.length
    const records = (rest + decoder.decode(piece, { stream: true })).split('\r\n')
    rest = records.pop() ?? ''
    for (const record of records) {
      const cells = record.split(',')
      const kind = cells[0] ?? ''
      if (kind.startsWith('TOTAL_')) totals.set(kind, cells.at(-4) ?? '')
      else if (kind !== 'kind') {
        lines += 1
        const name = `${kind === 'PAYMENT' ? 'paid' : 'back'} ${cells[7]}`
        sums.set(name, (sums.get(name) ?? 0n) + fenOf(cells[11]))
        sums.set(kind, (sums.get(kind) ?? 0n) + fenOf(cells[11]))
      }
    }
  }
  expect(hash.digest('hex')).toBe(data.hash_code)
  process.stdout.write(
    `bill of ${TRADES} trades: ${lines} lines, ${(bytes / MB).toFixed(1)} MB in ${seconds.toFixed(1)} s ` +
      `(${Math.round(lines / seconds)} lines/s), memory grew by ${((peak - before) / MB).toFixed(0)} MB at most\n`,
  )
  expect(peak - before).toBeLessThan(RSS_GROWTH_MAX)

  const { rows } = await test.database.pool.query(
    `select (select sum(amount_fen) from payment)::bigint as "PAYMENT", (select sum(amount_fen) from refund)::bigint as "REFUND",
            (select sum(amount_fen) from reversal)::bigint as "REVERSAL"`,
  )
  for (const kind of ['PAYMENT', 'REFUND', 'REVERSAL']) {
    expect([kind, sums.get(kind)]).toEqual([kind, rows[0][kind]])
    expect(fenOf(totals.get(`TOTAL_${kind}`))).toBe(rows[0][kind])
  }
  expect(fenOf(totals.get('TOTAL_NET'))).toBe(rows[0].PAYMENT - rows[0].REFUND - rows[0].REVERSAL)
  if (TRADES <= COMPARED_MAX) {
    for (const channel of ['wechat', 'alipay'] as const) {
      const ours = { paid: sums.get(`paid ${channel}`), back: sums.get(`back ${channel}`) }
      expect(ours, channel).toEqual(await upstreamSums(test, channel))
    }
  }
  await test.stop()
}, 1_200_000)
