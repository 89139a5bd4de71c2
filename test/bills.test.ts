/** The merchant's bill of a day (spec/protocol.md 3.6, docs/bills.md): what is in it, when it is there, who may have it. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { AcoPay, ConnectionError, SignatureError } from '@acopay/sdk'
import { billRows, leaseJobs } from '@acopay/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from '../apps/cli/src/run.ts'
import { makeBill } from '../apps/server/src/actions/bill/make-bill.ts'
import { testIo } from './support/cli.ts'
import { call, close, newTradeNo, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const HOUR = 3_600_000
const DAY = '2026-03-01'

let test: TestWorld
/** It is 12:00 on 1 March 2026 in China. */
beforeEach(async () => {
  test = await testWorld()
})
afterEach(() => test.stop())

async function paidOrder(channel: 'wechat' | 'alipay' = 'wechat', more: Record<string, string> = {}): Promise<string> {
  const order = await place(test.demo, more)
  await pay(test.demo, order, (await openAttempt(test.demo, order, channel)) ?? '')
  return order
}

const refund = (transaction_no: string, refund_amount: string) =>
  call(test.demo, {
    method: 'POST',
    path: 'refund',
    params: { transaction_no, refund_amount, refund_reason: '=商品已退货', mch_refund_no: newTradeNo() },
  })

const billOf = (bill_date: string) => call(test.demo, { method: 'GET', path: 'bill', params: { bill_date } })

type Line = Record<string, string>

async function fetchBill(day = DAY): Promise<Line[]> {
  const { data } = await billOf(day)
  expect(data).toMatchObject({ code: 'SUCCESS', description: '成功', hash_type: 'SHA256' })
  const response = await fetch(data.url ?? '')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  const text = await response.text()
  expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
  expect(createHash('sha256').update(text).digest('hex')).toBe(data.hash_code)
  const [header = '', ...lines] = text.trimEnd().split('\r\n')
  const columns = header.split(',')
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, index) => [columns[index], cell])))
}

const isTotal = ({ kind }: Line): boolean => kind?.startsWith('TOTAL_') === true

async function untilBillDay(): Promise<void> {
  test.advance(21 * HOUR + 60_000)
  await test.runJobs()
}

describe('a day', () => {
  it("has its payments, refunds and reversals of both channels, and adds up to the books and to the upstreams' bills", async () => {
    const first = await paidOrder('wechat', { description: '茶,"明前"' })
    await refund(first, '2.50')
    test.advance(1000)
    await refund(await paidOrder('alipay'), '0.01')
    test.advance(1000)
    const closed = await place(test.demo)
    const attempt = (await openAttempt(test.demo, closed)) ?? ''
    await close(test.demo, closed)
    await pay(test.demo, closed, attempt, 'pay-anyway')
    await test.runJobs()
    // Upstreams' bills, which the day is held against, are there from 10:00 on.
    test.advance(23 * HOUR)
    await test.runJobs()

    const lines = await fetchBill()
    expect(lines.filter((line) => !isTotal(line)).map(({ kind, state, amount }) => [kind, state, amount])).toEqual([
      ['PAYMENT', 'SUCCESS', '12.50'],
      ['PAYMENT', 'SUCCESS', '12.50'],
      ['PAYMENT', 'RETURNED', '12.50'],
      ['REFUND', 'SUCCESS', '2.50'],
      ['REFUND', 'SUCCESS', '0.01'],
      ['REVERSAL', 'SUCCESS', '12.50'],
    ])
    expect(lines.filter(isTotal).map(({ kind, amount, count }) => [kind, amount, count])).toEqual([
      ['TOTAL_PAYMENT', '37.50', '3'],
      ['TOTAL_REFUND', '2.51', '2'],
      ['TOTAL_REVERSAL', '12.50', '1'],
      ['TOTAL_NET', '22.49', '6'],
    ])
    expect(lines.find(({ kind }) => kind === 'REFUND')?.note).toBe("'=商品已退货")
    // Every row names the order, how it was paid and what was paid, as its payment's row does.
    const { rows: booked } = await test.database.pool.query<{ no: string; trade: string; payment: string }>(
      `select o.transaction_no as no, o.mch_trade_no as trade, p.payment_no as payment from orders o join payment p using (mch_no, transaction_no)`,
    )
    const wanted = new Map(
      booked.map(({ no, trade, payment }) => [no, [trade, payment, test.demo.appNo, 'native', 'CNY', '1']]),
    )
    for (const { transaction_no: no = '', ...line } of lines.filter((one) => !isTotal(one))) {
      const { mch_trade_no, payment_no, app_no, pay_method, currency, count } = line
      expect([mch_trade_no, payment_no, app_no, pay_method, currency, count], line.kind).toEqual(wanted.get(no))
    }
    const fetched = test.logged().filter(({ path }) => String(path).startsWith('/bills/'))
    expect(fetched).toMatchObject([{ mchNo: test.demo.mchNo, status: 200 }])
    for (const name of ['wechat', 'alipay'] as const) {
      const channel = await test.world.channelOf(test.demo.mchNo, name)
      const theirs = await channel?.fetchUpstreamBill(DAY, AbortSignal.timeout(10_000))
      if (theirs?.kind !== 'bill') throw new Error(JSON.stringify(theirs))
      const fen = (kind: 'payment' | 'refund') =>
        theirs.lines.reduce((sum, line) => (line.kind === kind ? sum + line.amountFen : sum), 0n)
      const ours = (kinds: string[]) =>
        lines
          .filter(({ kind, pay_channel }) => kinds.includes(kind ?? '') && pay_channel === name)
          .reduce((sum, { amount }) => sum + BigInt((amount ?? '').replace('.', '')), 0n)
      expect([ours(['PAYMENT']), ours(['REFUND', 'REVERSAL'])]).toEqual([fen('payment'), fen('refund')])
    }
    const { rows } = await test.database.pool.query('select * from reconciliation_difference')
    expect(rows).toEqual([])
  })

  it('is the day in China: a minute before midnight and at midnight are two bills', async () => {
    test.advance(12 * HOUR - 60_000)
    const before = await paidOrder()
    test.advance(60_000)
    const after = await paidOrder()
    test.advance(34 * HOUR)
    await test.runJobs()
    expect((await fetchBill('2026-03-01'))[0]?.transaction_no).toBe(before)
    expect((await fetchBill('2026-03-02'))[0]?.transaction_no).toBe(after)
  })

  it('takes money that is heard of until 09:00 of the next; later money is in the bill of the day it was heard of', async () => {
    // Two payments without a webhook: the watch, or a query, finds one before the bill is made and one after.
    const orders = [await place(test.demo), await place(test.demo)]
    test.upstreams.faults('wechat').set([{ kind: 'silence', probability: 1 }])
    for (const order of orders) await pay(test.demo, order, (await openAttempt(test.demo, order)) ?? '')
    test.advance(21 * HOUR - 60_000)
    await close(test.demo, orders[0] ?? '')
    test.advance(60_000)
    await close(test.demo, orders[1] ?? '')
    test.advance(24 * HOUR + 60_000)
    await test.runJobs()
    const found = [await fetchBill('2026-03-01'), await fetchBill('2026-03-02')]
    const named = found.map((lines) => lines.filter((line) => !isTotal(line)).map(({ transaction_no: no }) => no))
    expect(named).toEqual([[orders[0]], [orders[1]]])
  })
})

describe('the three answers', () => {
  const code = async (day: string) => (await billOf(day)).data

  it('not made yet before 09:01 of the next day, then made, or nothing happened', async () => {
    await paidOrder()
    test.advance(21 * HOUR)
    await test.runJobs()
    const none = { url: null, hash_code: null, hash_type: null }
    expect(await code(DAY)).toMatchObject({ code: 'BILL_NOT_EXIST', description: '对账单未生成', ...none })
    test.advance(60_000)
    expect(await code(DAY)).toMatchObject({ code: 'BILL_NOT_EXIST' })
    await test.runJobs()
    expect(await code(DAY)).toMatchObject({ code: 'SUCCESS', description: '成功' })
    expect(await code('2026-02-28')).toMatchObject({ code: 'NO_BILL', description: '账单不存在', ...none })
    test.advance(24 * HOUR)
    await test.runJobs()
    expect(await code('2026-03-02')).toMatchObject({ code: 'NO_BILL' })
  })

  it('a day whose bill was not made in time is made when it is asked for', async () => {
    await paidOrder()
    test.advance(40 * 24 * HOUR)
    await test.runJobs()
    expect(await code(DAY)).toMatchObject({ code: 'BILL_NOT_EXIST' })
    await test.runJobs()
    expect(await code(DAY)).toMatchObject({ code: 'SUCCESS' })
  })

  it.each(['2026-03-01', '2026-03-02', '2025-11-30'])('%s is not a past day of the last three months', async (day) => {
    const answer = await billOf(day)
    expect(answer).toMatchObject({ status: 1001, fieldErrors: 'bill_date 应在2025-12-01至2026-02-28之间' })
  })
})

describe('the link', () => {
  it('ends after 30 minutes, and opens nothing else', async () => {
    await paidOrder()
    await untilBillDay()
    const url = (await billOf(DAY)).data.url ?? ''
    const status = async (link: string) => {
      const response = await fetch(link)
      await response.text()
      return response.status
    }
    expect(await status(url)).toBe(200)
    for (const other of [
      url.replace(DAY, '2026-02-28'),
      url.replace('MCH1000000', 'MCH1000001'),
      url.replace('MCH1000000', '%00'),
      url.replace(DAY, '2026-02-30'),
      url.replace(/\/(\d+)\//, (_, expires) => `/${Number(expires) + 1}/`),
      url.replace(/.\.csv$/, (end) => (end.startsWith('A') ? 'B.csv' : 'A.csv')),
      url.replace('.csv', ''),
    ]) {
      expect(await status(other), other).toBe(404)
    }
    test.advance(30 * 60_000 - 1)
    expect(await status(url)).toBe(200)
    test.advance(1)
    const late = await fetch(url)
    expect([late.status, await late.text()]).toEqual([410, expect.stringContaining('链接已过期')])
    const proof = url.split('/').at(-1) ?? ''
    expect(JSON.stringify(test.logged())).not.toContain(proof.slice(0, 20))
  })
})

describe('a caller of the link', () => {
  it('that reads nothing for a minute is cut', async () => {
    const key = { mchNo: test.demo.mchNo, day: '2026-02-20' }
    const [parts, bytes] = [32, 2 ** 20]
    const { pool } = test.database
    await pool.query(
      `insert into bill (mch_no, bill_day, lines, file_no, size_bytes, sha256, made_at)
       values ($1, $2, 1, 'large', $3, 'x', $4)`,
      [key.mchNo, key.day, parts * bytes, test.world.now()],
    )
    for (let seq = 1; seq <= parts; seq += 1) {
      const part = [key.mchNo, key.day, seq, Buffer.alloc(bytes, 'x')]
      await pool.query(
        `insert into bill_part (mch_no, bill_day, file_no, seq, bytes) values ($1, $2, 'large', $3, $4)`,
        part,
      )
    }
    // A minute passes in a tenth of a second.
    test.app.server.once('connection', (socket: Socket) => {
      const setTimeout = socket.setTimeout.bind(socket)
      socket.setTimeout = (ms, ...more) => setTimeout(ms === 60_000 ? 100 : ms, ...more)
    })
    const url = new URL(test.world.billUrl(key))
    const caller = connect(Number(url.port), url.hostname)
    caller.pause().write(`GET ${url.pathname} HTTP/1.1\r\nhost: gateway\r\n\r\n`)
    const cut = () => test.logged().filter(({ msg }) => msg === 'bill not sent to its end')
    await expect.poll(cut).toMatchObject([key])
    caller.destroy()
  })
})

describe('the SDK', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'acopay-bill-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))
  /** A client whose download is changed on its way. */
  const client = (change?: (bytes: string) => string | ReadableStream): AcoPay =>
    new AcoPay({
      ...test.demo,
      tries: 1,
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        if (change === undefined || !String(input).includes('/bills/')) return response
        return new Response(change(await response.text()))
      },
    })

  it('streams the bill and writes it where it is told, once its hash is right', async () => {
    await paidOrder()
    await untilBillDay()
    const bill = await client().downloadBill(DAY)
    if (bill.state !== 'SUCCESS') throw new Error(bill.state)
    const pieces: Uint8Array[] = []
    for await (const piece of bill.content) pieces.push(piece)
    const file = path.join(dir, 'bill.csv')
    const seen: number[] = []
    const saved = await client().saveBill(DAY, file, { onBytes: (bytes) => seen.push(bytes) })
    expect(readFileSync(file)).toEqual(Buffer.concat(pieces))
    expect(saved).toMatchObject({ state: 'SUCCESS', hashCode: bill.hashCode, bytes: seen.at(-1) })
    expect(await client().saveBill('2026-02-28', file)).toEqual({ state: 'NO_BILL', description: '账单不存在' })
  })

  it.each([
    ['changed', (text: string) => text.replace('12.50', '12.51'), SignatureError],
    ['cut off', (text: string) => text.slice(0, -1), SignatureError],
    ['made longer', (text: string) => `${text}\r\n`, SignatureError],
    ['empty', () => '', SignatureError],
    ['broken off', () => new ReadableStream({ start: (stream) => stream.error(new Error('reset')) }), ConnectionError],
  ])('writes no file that was %s on its way', async (_what, change, kind) => {
    await paidOrder()
    await untilBillDay()
    await expect(client(change).saveBill(DAY, path.join(dir, 'bill.csv'))).rejects.toThrow(kind)
    expect(readdirSync(dir)).toEqual([])
  })

  it('and the command line say what came, and where it is', async () => {
    await paidOrder()
    await untilBillDay()
    const { mchPrivateKey, platformPublicKey, ...plain } = test.demo
    writeFileSync(path.join(dir, 'demo.json'), JSON.stringify({ ...plain, mchPrivateKey, platformPublicKey }))
    const acopay = async (...words: string[]) => {
      let said = ''
      const say = (text: string) => {
        said += `${text}\n`
      }
      const io = testIo({ cwd: dir, out: say, err: say })
      return { exit: await run(['bill', '--config', 'demo.json', ...words], io), said }
    }
    expect(await acopay('--date', DAY)).toMatchObject({ exit: 0, said: expect.stringContaining(`bill-${DAY}.csv`) })
    expect(readdirSync(dir).sort()).toEqual([`bill-${DAY}.csv`, 'demo.json'])
    expect(await acopay('--date', '2026-02-28')).toMatchObject({ exit: 1, said: '账单不存在 NO_BILL\n' })
    expect(await acopay('--date', '2026-02-30')).toMatchObject({ exit: 2 })
    expect(await acopay('--date', DAY, '--out', 'no/such/folder.csv')).toMatchObject({ exit: 2 })
  })
})

describe('makers', () => {
  const job = async () => {
    const now = test.world.now()
    return (await leaseJobs(test.database.pool, { now, leaseUntil: new Date(now.getTime() + 1) }, 1))[0]
  }
  const parts = async () => Number((await test.database.pool.query('select count(*) as n from bill_part')).rows[0].n)

  it('two at once make one bill, and the one who lost the job leaves nothing', async () => {
    await paidOrder()
    test.advance(21 * HOUR + 60_000)
    await call(test.demo, { method: 'GET', path: 'bill', params: { bill_date: DAY } })
    const slow = await job()
    test.advance(1)
    const fast = await job()
    if (slow === undefined || fast === undefined) throw new Error('no job')
    expect(await makeBill(test.world, slow)).toBe('retry')
    expect(await parts()).toBe(0)
    expect(await makeBill(test.world, fast)).toBe('done')
    expect(await makeBill(test.world, slow)).toBe('done')
    expect(await parts()).toBe(1)
    expect(await fetchBill()).toHaveLength(5)
  })

  it('one that is killed half-way leaves pieces that the next removes', async () => {
    await paidOrder()
    await test.database.pool.query(
      `insert into bill_part values ($1, $2, 'of the dead', 1, 'x'), ($1, $2, 'of the dead', 2, 'y')`,
      [test.demo.mchNo, DAY],
    )
    await untilBillDay()
    expect(await parts()).toBe(1)
    await fetchBill()
  })

  it('each row is on one page', async () => {
    const orders = [await paidOrder(), await paidOrder(), await paidOrder()]
    for (const order of orders) await refund(order, '1.00')
    const key = { mchNo: test.demo.mchNo, day: DAY }
    for (const kind of ['PAYMENT', 'REFUND'] as const) {
      const seen: string[] = []
      for (
        let last = null, page = await billRows(test.database.pool, key, { kind, after: last, limit: 1 });
        page[0];
      ) {
        seen.push(page[0].transactionNo)
        page = await billRows(test.database.pool, key, { kind, after: page[0], limit: 1 })
      }
      expect(seen.sort()).toEqual([...orders].sort())
    }
  })
})
