/** An operation for more orders than one person may choose alone is done when another person confirms it, and not before. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { openAttempt, pay, place, query } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let operator: ConsoleClient
let admin: ConsoleClient
let own: ConsoleClient
beforeAll(async () => {
  gateway = await testWorld({ env: { ACOPAY_BULK_ALONE_MAX: '1' } })
  await addUser(gateway, 'operator', 'operator')
  await addUser(gateway, 'admin', 'platform_admin')
  await addUser(gateway, 'own', 'merchant_admin')
  ;[operator, admin, own] = await Promise.all([
    signedIn(gateway, 'operator'),
    signedIn(gateway, 'admin'),
    signedIn(gateway, 'own'),
  ])
})
afterAll(() => gateway.stop())

const placed = async (count: number) => {
  const { mchNo: mch_no } = gateway.demo
  const numbers = await Promise.all(Array.from({ length: count }, () => place(gateway.demo)))
  return numbers.map((transaction_no) => ({ mch_no, transaction_no }))
}
const stateOf = async (one: { transaction_no: string } | undefined) =>
  (await query(gateway.demo, one?.transaction_no ?? '')).data.code
const waiting = async (who: ConsoleClient) => (await who.get('bulk/requests')).body.rows

describe('a close of more orders than one may choose alone', () => {
  it('waits for another user, who confirms it; nobody confirms their own', async () => {
    const orders = await placed(2)
    const asked = (await operator.send('POST', 'bulk/close', { orders })).body
    expect(asked).toEqual({ rows: [], request_no: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(await stateOf(orders[0])).toBe('NOTPAY')
    const { request_no } = asked
    expect(await waiting(operator)).toMatchObject([
      { request_no, operation: 'close', orders, asked_by: 'operator', is_own: true },
    ])

    const path = `bulk/requests/${request_no}`
    expect((await operator.send('POST', path)).status).toBe(409)
    expect(await stateOf(orders[0])).toBe('NOTPAY')
    const done = (await admin.send('POST', path)).body
    expect(done.rows).toEqual(orders.map((one) => ({ ...one, outcome: 'closed', resent: null })))
    expect(await Promise.all(orders.map(stateOf))).toEqual(['CLOSED', 'CLOSED'])
    expect(await waiting(admin)).toEqual([])
    expect((await admin.send('POST', path)).status).toBe(404)
  })

  it('is in the audit log with who asked, who confirmed, and what each order was before and after', async () => {
    const [confirmed] = (await admin.get('audit?action=bulk.confirm')).body.rows.filter(
      ({ outcome, username }: { outcome: string; username: string }) => outcome === 'DONE' && username === 'admin',
    )
    const [asked] = (await admin.get('audit?action=orders.bulk_close')).body.rows
    expect(asked).toMatchObject({ username: 'operator', detail: { orders: confirmed.detail.orders } })
    const changes = confirmed.detail.orders.map((name: string) => [name, { before: 'NOTPAY', after: 'CLOSED' }])
    expect(confirmed.changes).toEqual(Object.fromEntries(changes))
  })

  it('decides each order again when it is confirmed: one that was paid meanwhile stays paid', async () => {
    const orders = await placed(2)
    const { request_no } = (await operator.send('POST', 'bulk/close', { orders })).body
    const paid = orders[0]?.transaction_no ?? ''
    await pay(gateway.demo, paid, (await openAttempt(gateway.demo, paid)) ?? '')
    const { rows } = (await admin.send('POST', `bulk/requests/${request_no}`)).body
    expect(rows.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['paid', 'closed'])
    expect(await stateOf(orders[0])).toBe('SUCCESS')
  })

  it('is given up by who asked, and nothing happens', async () => {
    const orders = await placed(2)
    const { request_no } = (await operator.send('POST', 'bulk/close', { orders })).body
    expect((await operator.send('DELETE', `bulk/requests/${request_no}`)).status).toBe(200)
    expect((await operator.send('DELETE', `bulk/requests/${request_no}`)).status).toBe(404)
    expect(await stateOf(orders[0])).toBe('NOTPAY')
  })

  it('of one merchant is seen and confirmed by its own people, and one of several is not', async () => {
    const orders = await placed(2)
    const ours = (await operator.send('POST', 'bulk/close', { orders })).body.request_no
    const foreign = { mch_no: 'MCH-OTHER', transaction_no: 'AP404' }
    const mixed = (await operator.send('POST', 'bulk/close', { orders: [...orders, foreign] })).body.request_no
    expect((await waiting(own)).map(({ request_no }: { request_no: string }) => request_no)).toEqual([ours])
    expect((await own.send('POST', `bulk/requests/${mixed}`)).status).toBe(404)
    expect((await own.send('DELETE', `bulk/requests/${mixed}`)).status).toBe(404)
    expect((await own.send('POST', `bulk/requests/${ours}`)).status).toBe(200)
    expect((await waiting(admin)).map(({ request_no }: { request_no: string }) => request_no)).toEqual([mixed])
    await admin.send('DELETE', `bulk/requests/${mixed}`)
  })
})

describe('an operation for as many as one may choose alone', () => {
  it('is done at once', async () => {
    const orders = await placed(1)
    const { rows, request_no } = (await operator.send('POST', 'bulk/close', { orders })).body
    expect([rows[0].outcome, request_no]).toEqual(['closed', null])
  })
})

it('a resend of more waits too', async () => {
  const orders = await placed(2)
  const { request_no } = (await operator.send('POST', 'bulk/resend', { orders })).body
  const { rows } = (await admin.send('POST', `bulk/requests/${request_no}`)).body
  expect(rows).toEqual(orders.map((one) => ({ ...one, outcome: null, resent: 0 })))
})

it('fifty orders may be named at once, looked at or closed, and not one more', async () => {
  const { mchNo: mch_no } = gateway.demo
  const named = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ mch_no, transaction_no: `AP${String(at).padStart(36, '0')}` }))
  const { status, body } = await operator.send('POST', 'bulk/close', { orders: named(50) })
  expect(status).toBe(200)
  await operator.send('DELETE', `bulk/requests/${body.request_no}`)
  for (const orders of [[], named(51)]) {
    expect(await operator.send('POST', 'bulk/close', { orders })).toMatchObject({
      status: 400,
      body: { error: 'FIELD_INVALID' },
    })
  }
  const preview = (count: number, long = 38) => {
    const numbers = named(count).map(({ transaction_no }) => transaction_no.padEnd(long, 'x'))
    return operator.get(`bulk/preview?operation=close&numbers=${numbers.join(',')}`)
  }
  const seen = await Promise.all([preview(50, 64), preview(51), preview(1, 65)])
  expect(seen.map((answer) => answer.status)).toEqual([200, 400, 400])
})
