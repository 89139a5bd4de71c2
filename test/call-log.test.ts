/** The log of a merchant's calls: what it tells, whom it believes, and where it ends. */
import { createHash, createPrivateKey, createSign } from 'node:crypto'
import { AcoPay, type CallFilter, type LoggedCall, newKeyPair, signRequest } from '@acopay/sdk'
import { addMerchant } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forgetOldCalls } from '../apps/server/src/actions/calls/keep-calls.ts'
import { call, close, place, query, signedRequest } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let pay: AcoPay
beforeAll(async () => {
  gateway = await testWorld({ env: { ACOPAY_CALL_LOG: '20', ACOPAY_TRUSTED_PROXIES: '1' } })
  pay = new AcoPay({ ...gateway.demo, tries: 1 })
})
afterAll(() => gateway.stop())

/** What is in the log once all that waits is written. */
async function written(filter: CallFilter = {}): Promise<LoggedCall[]> {
  await gateway.world.callLog.write()
  return (await pay.listCalls(filter)).calls
}

/**
 * The log, the newest first, of `count` calls. A call is kept when its answer has left, which its caller may notice before. The clock
 * moves, so that a second's share is there again.
 */
async function logOf(work: () => Promise<unknown>, count = 1): Promise<LoggedCall[]> {
  gateway.advance(10_000)
  const from = gateway.world.now()
  await work()
  await expect.poll(async () => (await written({ from })).length).toBe(count)
  return written({ from })
}

describe('a call that the merchant made', () => {
  it('is there with its numbers, result, duration, and the text and key that verified it', async () => {
    const order = await place(gateway.demo)
    const [logged] = await logOf(() => close(gateway.demo, order))
    expect(logged).toMatchObject({
      call: 'POST close',
      address: '127.0.0.1',
      transactionNo: order,
      mchTradeNo: expect.stringMatching(/^mp/),
      status: 200,
      message: 'SUCCESS',
      code: 'SUCCESS',
      signature: 'VERIFIED',
      signedText: expect.stringContaining(`"transaction_no":"${order}"`),
      keyId: expect.stringMatching(/^[0-9a-f]{16}$/),
      finding: null,
      leftOut: 0,
    })
    const logs = gateway.logged().filter(({ requestId }) => requestId === logged?.requestId)
    expect(logs.map(({ path }) => path)).toEqual(['/pay/v1/transactions/close'])
  })

  it('and that was refused says why', async () => {
    const [logged] = await logOf(() => query(gateway.demo, 'AP404'))
    expect(logged).toMatchObject({ status: 1007, message: 'ORDER_NOT_EXIST', transactionNo: 'AP404', code: null })
  })

  it('is found by call, status and number', async () => {
    const order = await place(gateway.demo)
    await logOf(() => Promise.all([query(gateway.demo, order), query(gateway.demo, 'AP404')]), 2)
    const from = gateway.world.now()
    const found = async (filter: object) =>
      (await pay.listCalls({ from, ...filter })).calls.map(({ transactionNo }) => transactionNo)
    expect(await found({ status: 1007 })).toEqual(['AP404'])
    expect(await found({ number: order, call: 'GET trade' })).toEqual([order])
    expect(await found({ call: 'POST refund' })).toEqual([])
  })

  it('that reads the log is not in it', async () => {
    await logOf(() => query(gateway.demo, 'AP404'))
    for (let asked = 0; asked < 3; asked += 1) await pay.listCalls()
    await gateway.world.callLog.write()
    expect((await pay.listCalls({ call: 'GET calls' })).calls).toEqual([])
  })
})

describe('a call whose signature does not verify', () => {
  const unproven = async (change: { sign?: string; params?: object; body?: string }) => {
    const params = { transaction_no: 'AP1', ...change.params }
    const headers: Record<string, string> = change.sign === undefined ? {} : { 'x-acopay-sign': change.sign }
    const more = change.body === undefined ? {} : { body: change.body }
    const [logged] = await logOf(() => call(gateway.demo, { method: 'POST', path: 'close', params, headers, ...more }))
    return logged
  }

  it('is explained: another key, no signature, a body that is none', async () => {
    const { privateKey } = await newKeyPair()
    const by = { mchNo: gateway.demo.mchNo, mchPrivateKey: privateKey }
    const { headers } = await signRequest({ transaction_no: 'AP1' }, by)
    expect(await unproven({ sign: headers['x-acopay-sign'] })).toMatchObject({
      status: 1002,
      signature: 'OTHER_KEY',
      keyId: null,
    })
    expect(await unproven({ sign: 'none' })).toMatchObject({ signature: 'NO_SIGNATURE' })
    expect(await unproven({ body: '[]' })).toMatchObject({ status: 1001, signature: 'NOT_CHECKED', signedText: null })
  })

  it('of another text is compared by the digest in it; the signature itself is kept nowhere', async () => {
    const { mchNo } = gateway.demo
    const { url, ...init } = await signedRequest(gateway.demo, {
      method: 'POST',
      path: 'close',
      params: { transaction_no: 'AP1' },
    })
    const [logged] = await logOf(() => fetch(url, { ...init, body: '{"transaction_no":"AP2"}' }))
    const nonce = init.headers['x-acopay-nonce'] ?? ''
    const built = `{"mch_no":"${mchNo}","nonce":"${nonce}","sign_type":"SHA256withRSA","transaction_no":"AP2"}`
    expect(logged).toMatchObject({
      signature: 'OTHER_TEXT',
      signedText: built,
      finding: { zh: expect.stringContaining('另一段文本') },
    })
    const { rows } = await gateway.database.pool.query(
      'select c::text as row, signed_digest from call_log c where request_id = $1',
      [logged?.requestId],
    )
    const signedText = built.replace('AP2', 'AP1')
    expect(rows[0].signed_digest).toBe(createHash('sha256').update(signedText).digest('hex'))
    expect(rows[0].row).not.toContain((init.headers['x-acopay-sign'] ?? '').slice(0, 20))
  })

  it('by the merchant’s own key with another digest is told so, and no digest is kept', async () => {
    const key = createPrivateKey({
      key: Buffer.from(gateway.demo.mchPrivateKey, 'base64'),
      ...({ format: 'der', type: 'pkcs8' } as const),
    })
    const logged = await unproven({ sign: createSign('RSA-SHA512').update('AP1').sign(key, 'base64') })
    expect(logged).toMatchObject({
      status: 1002,
      signature: 'OTHER_DIGEST',
      keyId: expect.stringMatching(/^[0-9a-f]{16}$/),
    })
    const { rows } = await gateway.database.pool.query('select signed_digest from call_log where request_id = $1', [
      logged?.requestId,
    ])
    expect(rows).toEqual([{ signed_digest: null }])
  })

  it('shows the first 2048 characters of a text', async () => {
    const logged = await unproven({ sign: 'none', params: { description: `${'长'.repeat(5000)}\0` } })
    expect(logged?.signedText).toHaveLength(2048)
  })

  it('is not the merchant’s where only listed addresses may call', async () => {
    const { pool } = gateway.database
    await pool.query(`update merchant set allowed_ips = '{192.0.2.1}' where mch_no = $1`, [gateway.demo.mchNo])
    const from = (address: string) => ({ 'x-forwarded-for': address, 'x-acopay-sign': 'none' })
    const send = (address: string) =>
      call(gateway.demo, { method: 'GET', path: 'trade', params: { transaction_no: 'AP1' }, headers: from(address) })
    gateway.advance(10_000)
    const since = gateway.world.now()
    await send('198.51.100.1')
    await send('192.0.2.1')
    await pool.query(`update merchant set allowed_ips = '{}' where mch_no = $1`, [gateway.demo.mchNo])
    const seen = async () => (await written({ from: since })).map(({ address }) => address)
    await expect.poll(seen).toEqual(['192.0.2.1'])
  })
})

describe('strangers', () => {
  it('fill no more than their own share, and push out nothing that is proven', async () => {
    const order = await place(gateway.demo)
    await logOf(() => query(gateway.demo, order))
    const from = gateway.world.now()
    const forged = (address: string) =>
      call(gateway.demo, {
        method: 'GET',
        path: 'trade',
        params: { transaction_no: order },
        headers: { 'x-forwarded-for': address, 'x-acopay-sign': 'none' },
      })
    for (let minute = 0; minute < 5; minute += 1) {
      gateway.advance(60_000)
      await Promise.all(Array.from({ length: 30 }, (_, index) => forged(`203.0.113.${index}`)))
      await gateway.world.callLog.write()
    }
    const { rows } = await gateway.database.pool.query(`select kind, count(*)::int as n from call_log group by kind`)
    const count = Object.fromEntries(rows.map(({ kind, n }) => [kind, n]))
    // What is kept of a kind, and at most a tenth and one batch more.
    expect(count.unproven).toBeLessThanOrEqual(20 + 21)
    expect((await pay.listCalls({ number: order, status: 200 })).calls.length).toBeGreaterThan(0)
    const after = (await pay.listCalls({ from, status: 1002 })).calls
    expect(Math.max(...after.map(({ leftOut }) => leftOut))).toBeGreaterThanOrEqual(10)
  })

  it('of one address get two a second', async () => {
    const headers = { 'x-acopay-sign': 'none', 'x-forwarded-for': '203.0.113.77' }
    const forged = () =>
      call(gateway.demo, { method: 'GET', path: 'trade', params: { transaction_no: 'AP1' }, headers })
    const logged = await logOf(async () => {
      for (let sent = 0; sent < 12; sent += 1) await forged()
    }, 4)
    // Twice what a second adds: the bucket was full.
    expect(logged.length).toBe(4)
  })

  it('name no merchant that there is not', async () => {
    await addMerchant(gateway.database.pool, { mchNo: 'MCH-QUIET', name: 'x' }, gateway.world.now())
    await call(
      { ...gateway.demo, mchNo: 'MCH404' },
      { method: 'GET', path: 'trade', params: { transaction_no: 'AP1' } },
    )
    await gateway.world.callLog.write()
    const { rows } = await gateway.database.pool.query(`select distinct mch_no from call_log`)
    expect(rows).toEqual([{ mch_no: gateway.demo.mchNo }])
  })
})

describe('the log', () => {
  it('keeps the newest of each kind, is read by pages, and is forgotten after seven days', async () => {
    gateway.advance(60_000)
    const from = gateway.world.now()
    for (let sent = 0; sent < 70; sent += 1) {
      gateway.advance(1000)
      await query(gateway.demo, `AP${sent}`)
      if (sent % 10 === 0) await gateway.world.callLog.write()
    }
    const all = () => written({ from, call: 'GET trade' })
    await expect.poll(async () => (await all())[0]?.transactionNo).toBe('AP69')
    const { rows } = await gateway.database.pool.query(`select count(*)::int as n from call_log where kind = 'refused'`)
    expect(rows[0].n).toBeGreaterThanOrEqual(20)
    expect(rows[0].n).toBeLessThanOrEqual(20 + 11)
    gateway.advance(7 * 24 * 3_600_000 + 1)
    expect(await forgetOldCalls(gateway.world)).toBeGreaterThan(0)
    expect((await pay.listCalls()).calls).toEqual([])
  })

  it('has pages of fifty', async () => {
    const { pool } = gateway.database
    await pool.query(
      `insert into call_log (mch_no, kind, at, request_id, call, address, status, message, ms, signature, left_out)
       select $1, 'done', $2::timestamptz - n * interval '1 second', gen_random_uuid()::text, 'GET trade', 'x', 200, 'SUCCESS', 1, 'VERIFIED', 0
         from generate_series(1, 51) n`,
      [gateway.demo.mchNo, gateway.world.now()],
    )
    const page = await pay.listCalls()
    expect(page.calls).toHaveLength(50)
    const last = await pay.listCalls({ before: page.next ?? '' })
    expect([last.calls.length, last.next]).toEqual([1, null])
    expect(new Set([...page.calls, ...last.calls].map(({ requestId }) => requestId)).size).toBe(51)
  })
})

it('of a gateway that is told to keep none is empty, and it writes nothing', async () => {
  const silent = await testWorld({ env: { ACOPAY_CALL_LOG: '0' } })
  try {
    await query(silent.demo, 'AP404')
    expect(silent.world.callLog.isOn).toBe(false)
    await silent.world.callLog.write()
    expect((await new AcoPay(silent.demo).listCalls()).calls).toEqual([])
  } finally {
    await silent.stop()
  }
})
