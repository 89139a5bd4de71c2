/** The work of support: money that was sent back, its evidence, notes and tags, and one operation for many orders. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { addMerchant } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../apps/cli/src/run.ts'
import { testIo } from './support/cli.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { close, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let operator: ConsoleClient
let viewer: ConsoleClient
let stranger: ConsoleClient
let folder: string
const M = 'MCH1000000'

/** Closed, and paid forty seconds later all the same. */
let late = ''
/** Paid through two attempts. */
let twice = ''
/** Closed, and nothing else. */
let quiet = ''
let open = ''

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'acopay-evidence-'))
  gateway = await testWorld()
  const { demo, database, world } = gateway
  await addMerchant(database.pool, { mchNo: 'MCH-OTHER', name: '别家商户' }, world.now())
  await addUser(gateway, 'operator', 'operator')
  await addUser(gateway, 'viewer', 'merchant_viewer')
  await addUser(gateway, 'stranger', 'merchant_viewer', { mchNo: 'MCH-OTHER' })
  operator = await signedIn(gateway, 'operator')
  viewer = await signedIn(gateway, 'viewer')
  stranger = await signedIn(gateway, 'stranger')
  late = await place(demo)
  const code = (await openAttempt(demo, late)) ?? ''
  await close(demo, late)
  gateway.advance(40_000)
  await pay(demo, late, code, 'pay-anyway')
  gateway.advance(1000)
  twice = await place(demo)
  const [one, other] = [await openAttempt(demo, twice), await openAttempt(demo, twice, 'alipay')]
  await pay(demo, twice, other ?? '', 'scan')
  await pay(demo, twice, one ?? '')
  await pay(demo, twice, other ?? '', 'pay-anyway')
  await gateway.runJobs()
  quiet = await place(demo)
  await close(demo, quiet)
  open = await place(demo)
})
afterAll(async () => {
  await gateway.stop()
  rmSync(folder, { recursive: true })
})

const orderRow = async (number: string) => (await operator.get(`orders?number=${number}`)).body.rows[0]

describe('money that was sent back', () => {
  it('is listed with why it came, how much later than the close, and how it went back', async () => {
    const { rows } = (await operator.get('sent-back')).body
    expect(rows.map((row: { transaction_no: string }) => row.transaction_no)).toEqual([twice, late])
    expect(rows[1]).toMatchObject({
      ...{ mch_no: M, why: 'late', amount: '12.50', currency: 'CNY', channel: 'wechat', method: 'native' },
      ...{ state: 'SUCCESS', is_stuck: false, by_upstream: false, after_close_s: 40 },
    })
    expect(rows[1].upstream_no).toBe(rows[1].refund_no)
    expect(rows[1].back_at >= rows[1].asked_at).toBe(true)
    expect(rows[0]).toMatchObject({ why: 'second', channel: 'alipay', closed_at: null, after_close_s: null })
  })

  it('is found by its state, its time and its merchant, page by page', async () => {
    const { rows } = (await operator.get('sent-back')).body
    const numbers = async (who: ConsoleClient, query: string) =>
      (await who.get(`sent-back?${query}`)).body.rows.map((row: { transaction_no: string }) => row.transaction_no)
    expect(await numbers(operator, 'state=SUCCESS')).toEqual([twice, late])
    expect(await numbers(operator, 'state=PROCESSING')).toEqual([])
    expect(await numbers(operator, 'state=STUCK')).toEqual([])
    const second = rows[0].asked_at
    expect(await numbers(operator, `from=${second}`)).toEqual([twice])
    expect(await numbers(operator, `until=${second}`)).toEqual([late])
    expect(await numbers(operator, `mch_no=${M}`)).toEqual([twice, late])
    expect(await numbers(viewer, '')).toEqual([twice, late])
    expect(await numbers(stranger, '')).toEqual([])
    const first = (await operator.get('sent-back?limit=1')).body
    expect(first.rows).toHaveLength(1)
    expect(await numbers(operator, `limit=1&after=${first.next}`)).toEqual([late])
    expect((await operator.get('sent-back?from=tomorrow')).body).toMatchObject({ field: 'from' })
  })

  it('gives its order a sign in the lists and on its page', async () => {
    expect((await orderRow(late)).sent_back).toBe(true)
    expect((await orderRow(quiet)).sent_back).toBe(false)
    const { body } = await operator.get(`orders?mch_no=${M}`)
    const marked = body.rows.filter((row: { sent_back: boolean }) => row.sent_back)
    expect(marked.map((row: { transaction_no: string }) => row.transaction_no)).toEqual([twice, late])
    expect((await operator.get(`orders/${M}/${late}`)).body.sent_back).toBe(true)
    expect((await operator.get(`orders/${M}/${quiet}`)).body.sent_back).toBe(false)
  })
})

describe('the evidence of an order', () => {
  async function verified(text: string, key = gateway.demo.platformPublicKey) {
    const file = path.join(folder, 'evidence.html')
    writeFileSync(file, text)
    const io = testIo({ cwd: folder })
    const exit = await run(['evidence', 'verify', 'evidence.html', '--platform-public-key', key], io)
    return { exit, said: [...io.printed.out, ...io.printed.err].join('\n') }
  }
  const fileOf = async (number: string) => operator.get(`orders/${M}/${number}/evidence.html`)

  it('is a file that holds what happened and the money that went back, and calls nothing outside', async () => {
    const { body: page, headers } = await fileOf(late)
    expect(headers.get('content-disposition')).toBe(`attachment; filename="${late}.html"`)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page).toContain('比关单晚 40 秒')
    expect(page).toContain('40 seconds after the close')
    expect(page).toContain('@page{size:A4')
    expect(page).not.toMatch(/https?:\/\/|<img|<link|src=|@import|url\(/)
    expect(page.match(/<script/g)).toHaveLength(1)
    expect(page).toContain('<script type="application/json"')
  })

  it('states, signed, exactly these facts', async () => {
    const { body: page } = await fileOf(late)
    const body = JSON.parse(/<script type="application\/json"[^>]*>([\s\S]*?)<\/script>/.exec(page)?.[1] ?? '')
    const { sign, nonce, made_at, ...facts } = body.statement.data
    expect([sign, nonce, made_at].every((one) => typeof one === 'string' && one.length > 10)).toBe(true)
    const {
      timeline_length,
      timeline_hash,
      mch_trade_no,
      fence_time,
      close_time,
      upstream_answers,
      sent_back,
      ...fixed
    } = facts
    expect(fixed).toEqual({
      mch_no: M,
      sign_type: 'SHA256withRSA',
      evidence: body.kind,
      transaction_no: late,
      amount_total: '12.50',
      amount_currency: 'CNY',
      state: 'CLOSED',
      success_time: null,
      close_reason: 'MERCHANT',
    })
    expect(timeline_length).toBe(String(body.timeline.length))
    expect(timeline_hash).toMatch(/^[0-9a-f]{64}$/)
    expect(mch_trade_no.length).toBeGreaterThan(5)
    expect(Date.parse(fence_time)).toBeLessThanOrEqual(Date.parse(close_time))
    expect(JSON.parse(upstream_answers)).not.toEqual([])
    expect(JSON.parse(sent_back)).toHaveLength(1)
  })

  it('is verified without the gateway, for a closed order and for one that was paid twice', async () => {
    for (const number of [late, quiet, twice]) {
      const { exit, said } = await verified((await fileOf(number)).body)
      expect([exit, said.split('\n')[0]], number).toEqual([0, '凭证有效 the evidence is valid'])
      expect(said).toContain(number)
    }
    expect((await verified((await fileOf(late)).body)).said).toContain('退回 sent back')
  })

  it('is not valid once a byte of the facts or of the timeline is another one, or with another key', async () => {
    const { body: page } = await fileOf(late)
    const changed = (from: string, to: string): string => {
      expect(page.lastIndexOf(from), from).toBeGreaterThan(page.indexOf('acopay-evidence"'))
      return page.slice(0, page.lastIndexOf(from)) + to + page.slice(page.lastIndexOf(from) + from.length)
    }
    expect(await verified(changed('"amount_total": "12.50"', '"amount_total": "12.51"'))).toMatchObject({ exit: 4 })
    const { exit, said } = await verified(changed('close_asked', 'close_askeD'))
    expect([exit, said]).toEqual([4, expect.stringContaining('the timeline does not have the hash that was signed')])
    const foreign = (await gateway.database.pool.query('select public_key from merchant_key limit 1')).rows[0]
      .public_key
    expect((await verified(page, foreign)).exit).toBe(4)
    expect(await verified('<html></html>')).toMatchObject({ exit: 2 })
    expect(await verified('{"kind":"x"}')).toMatchObject({ exit: 2 })
  })

  it('is not there for an open order, and not for a stranger', async () => {
    expect((await fileOf(open)).status).toBe(409)
    expect((await stranger.get(`orders/${M}/${late}/evidence.html`)).status).toBe(403)
  })
})

describe('notes and tags', () => {
  const page = async (who: ConsoleClient) => (await who.get(`orders/${M}/${quiet}`)).body

  it('say who wrote them and when; the merchant’s people see only the notes that are for them', async () => {
    await operator.send('POST', `orders/${M}/${quiet}/notes`, { note: ' 付款人来电 ' })
    gateway.advance(1)
    await operator.send('POST', `orders/${M}/${quiet}/notes`, { note: '请联系付款人', for_merchant: true })
    await operator.send('PUT', `orders/${M}/${quiet}/tags`, { tags: ['投诉', 'vip', ' vip '] })
    const at = expect.stringMatching(/^20/)
    expect(await page(operator)).toMatchObject({
      notes: [
        { at, username: 'operator', for_merchant: false, note: '付款人来电' },
        { at, username: 'operator', for_merchant: true, note: '请联系付款人' },
      ],
      tags: [
        { tag: 'vip', at, username: 'operator' },
        { tag: '投诉', at, username: 'operator' },
      ],
    })
    expect(await page(viewer)).toMatchObject({
      notes: [{ username: null, for_merchant: true, note: '请联系付款人' }],
      tags: [],
    })
  })

  it('leave the order as it was, and are in the audit log with the tags before and after', async () => {
    const before = await page(operator)
    gateway.advance(1)
    await operator.send('PUT', `orders/${M}/${quiet}/tags`, { tags: ['投诉'] })
    const after = await page(operator)
    expect(after.timeline).toEqual(before.timeline)
    expect(after.tags.map(({ tag }: { tag: string }) => tag)).toEqual(['投诉'])
    const { body } = await operator.get('audit?action=orders.tag')
    expect(body.rows[0]).toMatchObject({
      ...{ username: 'operator', subject: quiet, outcome: 'DONE' },
      changes: { tags: { before: ['vip', '投诉'], after: ['投诉'] } },
    })
  })

  it('have limits: 500 characters, 24 in a tag, ten tags, a hundred notes', async () => {
    const refused = async (method: 'POST' | 'PUT', what: string, body: object) =>
      (await operator.send(method, `orders/${M}/${open}/${what}`, body)).body.field
    expect(await refused('POST', 'notes', { note: 'x'.repeat(501) })).toBe('note')
    expect(await refused('POST', 'notes', { note: '   ' })).toBe('note')
    expect(await refused('POST', 'notes', { note: 'x', for_merchant: 'yes' })).toBe('for_merchant')
    for (const tags of [['x'.repeat(25)], Array(11).fill('x'), [''], ['a,b'], [5], 'x', null, ['a\u0000']]) {
      expect(await refused('PUT', 'tags', { tags }), JSON.stringify(tags)).toBe('tags')
    }
    await gateway.database.pool.query(
      `insert into order_note select $1, $2, 'ON' || lpad(n::text, 36, '0'), now(), 'x', false, 'x' from generate_series(1, 99) n`,
      [M, open],
    )
    const add = () => operator.send('POST', `orders/${M}/${open}/notes`, { note: 'x'.repeat(500) })
    expect([(await add()).status, (await add()).status]).toEqual([200, 409])
  })
})

describe('one operation for many orders', () => {
  const preview = async (who: ConsoleClient, operation: string, ...numbers: string[]) =>
    (await who.get(`bulk/preview?operation=${operation}&numbers=${numbers.join(',')}`)).body
  const effects = async (who: ConsoleClient, operation: string, ...numbers: string[]) =>
    (await preview(who, operation, ...numbers)).rows.map(({ effect }: { effect: string }) => effect)

  it('shows first what each order would get, and changes nothing by that', async () => {
    expect(await effects(operator, 'close', open, quiet, twice, 'AP404')).toEqual([
      ...['closes', 'closed_already', 'paid', 'absent'],
    ])
    expect((await orderRow(open)).state).toBe('NOTPAY')
    expect(await effects(stranger, 'close', open)).toEqual(['absent'])
    expect(await preview(operator, 'close', ...Array.from({ length: 51 }, (_, one) => `AP${one}`))).toMatchObject({
      field: 'numbers',
    })
    expect(await preview(operator, 'refund', open)).toMatchObject({ field: 'operation' })
  })

  it('takes numbers of 64 characters, and no longer one', async () => {
    expect(await effects(operator, 'close', 'A'.repeat(64))).toEqual(['absent'])
    expect(await preview(operator, 'close', 'A'.repeat(65))).toMatchObject({ field: 'numbers' })
  })

  it('closes each by the ordinary way, says what became of each, and leaves before and after in the audit log', async () => {
    const orders = [open, quiet, twice, 'AP404'].map((transaction_no) => ({ mch_no: M, transaction_no }))
    const { body } = await operator.send('POST', 'bulk/close', { orders })
    expect(body.rows.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['closed', 'closed', 'paid', 'absent'])
    expect(await orderRow(open)).toMatchObject({ state: 'CLOSED', close_reason: 'OPERATOR' })
    expect((await operator.get('audit?action=orders.bulk_close')).body.rows[0]).toMatchObject({
      detail: { orders: [`${M}/${open}`, `${M}/${quiet}`, `${M}/${twice}`, `${M}/AP404`] },
      changes: { [`${M}/${open}`]: { before: 'NOTPAY', after: 'CLOSED' } },
    })
  })

  it('sends the notifications of each again', async () => {
    const told = await place(gateway.demo, { notify_url: 'http://127.0.0.1:9/told' })
    await pay(gateway.demo, told, (await openAttempt(gateway.demo, told)) ?? '')
    expect(await effects(operator, 'resend', told, open)).toEqual(['resends', 'no_notifications'])
    const orders = [told, open].map((transaction_no) => ({ mch_no: M, transaction_no }))
    const { body } = await operator.send('POST', 'bulk/resend', { orders })
    expect(body.rows.map(({ resent }: { resent: number }) => resent)).toEqual([1, 0])
  })

  it('takes one to fifty orders, and of a merchant’s people only their own', async () => {
    const send = (who: ConsoleClient, orders: unknown) => who.send('POST', 'bulk/close', { orders } as object)
    for (const orders of [
      undefined,
      [],
      'x',
      [null],
      [{ mch_no: M }],
      Array(51).fill({ mch_no: M, transaction_no: 'AP1' }),
    ]) {
      expect((await send(operator, orders)).body, JSON.stringify(orders)?.slice(0, 40)).toMatchObject({
        field: 'orders',
      })
    }
    await addUser(gateway, 'other-admin', 'merchant_admin', { mchNo: 'MCH-OTHER' })
    const other = await signedIn(gateway, 'other-admin')
    expect((await send(other, [{ mch_no: M, transaction_no: late }])).status).toBe(403)
  })
})
