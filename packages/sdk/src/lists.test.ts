/** Lists in pages, against answers written by hand: one page when awaited, every row in `for await`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  isSignedByMerchant,
  MCH_NO,
  type ScriptedGateway,
  scriptedGateway,
  success,
  vectors,
} from '../../../test/support/scripted-gateway.ts'
import { AcoPay, ConnectionError, ParameterError, SignatureError } from './index.ts'

let gateway: ScriptedGateway
let client: AcoPay
beforeAll(async () => {
  gateway = await scriptedGateway()
  const { merchantPrivateKey: mchPrivateKey, platformPublicKey } = vectors.keys
  client = new AcoPay({
    baseUrl: gateway.url,
    mchNo: MCH_NO,
    appNo: 'APP1',
    mchPrivateKey,
    platformPublicKey,
    tries: 1,
  })
})
afterAll(() => gateway.stop())

const AP = (count: number): string => `AP${String(count).padStart(36, '0')}`
const AR = (count: number): string => `AR${String(count).padStart(36, '0')}`

const order = (count: number) => ({
  app_no: 'APP1',
  mch_trade_no: `my-order-${count}`,
  transaction_no: AP(count),
  code: 'SUCCESS',
  description: '支付成功',
  extra: null,
  created_time: '2026-05-12T10:00:00+08:00',
  time_expire: '2026-05-12T12:00:00+08:00',
  success_time: '2026-05-12T10:01:00+08:00',
  acoid: 'payer',
  amount_total: '12.50',
  pay_channel: 'wechat',
  pay_method: 'native',
})
const refund = (count: number) => ({
  mch_trade_no: 'my-order-1',
  transaction_no: AP(1),
  mch_refund_no: `my-refund-${count}`,
  refund_no: AR(count),
  code: 'PROCESSING',
  description: '退款处理中',
  refund_amount: '2.50',
  refund_reason: '退货',
  created_time: '2026-05-13T10:00:00+08:00',
  success_time: null,
  refund_channel: 'wechat',
})
const page = (name: 'orders' | 'refunds' | 'notifications', rows: object[], next: string | null) =>
  success({ code: 'SUCCESS', description: '成功', [name]: JSON.stringify(rows), next })

describe('a list that is awaited', () => {
  it('is one page of orders, by everything that can be given', async () => {
    gateway.says(page('orders', [order(3)], AP(3)))
    const from = new Date('2026-05-11T16:00:00.500Z')
    const until = new Date('2026-05-12T16:00:00Z')
    const filter = { transactionNo: AP(3), mchTradeNo: 'm', appNo: 'APP1', state: 'SUCCESS', from, until } as const
    expect(await client.listOrders({ ...filter, before: AP(4) })).toEqual({
      orders: [
        {
          transactionNo: AP(3),
          mchTradeNo: 'my-order-3',
          appNo: 'APP1',
          state: 'SUCCESS',
          description: '支付成功',
          amountTotal: '12.50',
          extra: null,
          createdTime: new Date('2026-05-12T02:00:00Z'),
          timeExpire: new Date('2026-05-12T04:00:00Z'),
          successTime: new Date('2026-05-12T02:01:00Z'),
          acoid: 'payer',
          payChannel: 'wechat',
          payMethod: 'native',
        },
      ],
      next: AP(3),
    })
    const params = {
      transaction_no: AP(3),
      mch_trade_no: 'm',
      app_no: 'APP1',
      state: 'SUCCESS',
      from: '2026-05-11T16:00:00.500Z',
      until: '2026-05-12T16:00:00.000Z',
      before: AP(4),
    }
    expect(gateway.seen).toHaveLength(1)
    const [seen] = gateway.seen
    expect([seen?.method, seen?.path]).toEqual(['GET', '/pay/v1/transactions/orders'])
    expect(seen?.query).toMatchObject(params)
    expect(seen && isSignedByMerchant(seen, params)).toBe(true)
  })

  it('is one page of refunds, by everything that can be given', async () => {
    gateway.says(page('refunds', [refund(2)], null))
    const filter = { transactionNo: AP(1), mchTradeNo: 'm', refundNo: AR(2), mchRefundNo: 'r', state: 'FAIL' } as const
    const period = { from: new Date(0), until: new Date(1) }
    expect(await client.listRefunds({ ...filter, ...period, before: AR(3) })).toEqual({
      refunds: [
        {
          refundNo: AR(2),
          mchRefundNo: 'my-refund-2',
          transactionNo: AP(1),
          mchTradeNo: 'my-order-1',
          refundAmount: '2.50',
          state: 'PROCESSING',
          description: '退款处理中',
          refundChannel: 'wechat',
          refundReason: '退货',
          createdTime: new Date('2026-05-13T02:00:00Z'),
          successTime: null,
        },
      ],
      next: null,
    })
    expect(gateway.seen[0]?.path).toBe('/pay/v1/transactions/refunds')
    expect(gateway.seen[0]?.query).toMatchObject({
      ...{ transaction_no: AP(1), mch_trade_no: 'm', refund_no: AR(2), mch_refund_no: 'r', state: 'FAIL' },
      ...{ from: '1970-01-01T00:00:00.000Z', until: '1970-01-01T00:00:00.001Z', before: AR(3) },
    })
  })

  it('is refused before anything is sent where a filter is wrong', async () => {
    gateway.says(page('orders', [], null))
    const wrong: [() => Promise<unknown>, string][] = [
      [() => client.listOrders({ state: 'PAID' as never }), 'state'],
      [() => client.listOrders({ before: 'x' }), 'before'],
      [() => client.listOrders({ from: '2026-05-12' as never }), 'from'],
      [() => client.listOrders({ until: new Date(Number.NaN) }), 'until'],
      [() => client.listOrders({ from: new Date(1), until: new Date(1) }), 'until'],
      [() => client.listRefunds({ state: 'REFUND' as never }), 'state'],
      [() => client.listRefunds({ before: AP(1) }), 'before'],
    ]
    for (const [list, field] of wrong) {
      const error = await list().catch((thrown: unknown) => thrown)
      expect(error, field).toBeInstanceOf(ParameterError)
      expect(error).toMatchObject({ field })
    }
    expect(gateway.seen).toEqual([])
  })

  it('is not believed where a row has a state that this version does not know, or the list is missing', async () => {
    gateway.says(page('orders', [{ ...order(1), code: 'HALF' }], null))
    await expect(client.listOrders()).rejects.toThrow(SignatureError)
    gateway.says(page('refunds', [{ ...refund(1), code: 'HALF' }], null))
    await expect(client.listRefunds()).rejects.toThrow(SignatureError)
    gateway.says(success({ code: 'SUCCESS', description: '成功' }))
    await expect(client.listOrders()).rejects.toThrow('the answer has no orders')
    await expect(client.listRefunds()).rejects.toThrow('the answer has no refunds')
  })
})

describe('a list in a loop', () => {
  it('gives every row, and asks for each page with the same filter and the place of the page before', async () => {
    const [first, second, last] = [[order(5), order(4)], [order(3)], []]
    gateway.says(page('orders', first, AP(4)), page('orders', second, AP(3)), page('orders', last, null))
    const found: string[] = []
    for await (const { transactionNo } of client.listOrders({ state: 'SUCCESS', before: AP(6) }))
      found.push(transactionNo)
    expect(found).toEqual([AP(5), AP(4), AP(3)])
    expect(gateway.seen.map(({ query }) => [query.state, query.before])).toEqual([
      ['SUCCESS', AP(6)],
      ['SUCCESS', AP(4)],
      ['SUCCESS', AP(3)],
    ])
  })

  it('fetches no page that it does not need', async () => {
    gateway.says(page('refunds', [refund(5), refund(4)], AR(4)), page('refunds', [refund(3)], null))
    for await (const { refundNo } of client.listRefunds()) if (refundNo === AR(4)) break
    expect(gateway.seen).toHaveLength(1)
  })

  it('is there for notifications as well', async () => {
    const one = {
      transaction_no: AP(1),
      seq: 1,
      kind: 'payment',
      state: 'DEAD',
      created_time: '2026-05-12T10:00:00+08:00',
    }
    gateway.says(page('notifications', [one], `1.${AP(1)}.1`), page('notifications', [{ ...one, seq: 2 }], null))
    const found: number[] = []
    for await (const { seq } of client.listNotifications({ state: 'DEAD' })) found.push(seq)
    expect(found).toEqual([1, 2])
    expect(gateway.seen.map(({ query }) => query.before)).toEqual([undefined, `1.${AP(1)}.1`])
  })

  it('throws where a page cannot be had, after the rows before it', async () => {
    gateway.says(page('orders', [order(1)], AP(1)), (_seen, response) => void response.destroy())
    const found: string[] = []
    const loop = async (): Promise<void> => {
      for await (const { transactionNo } of client.listOrders()) found.push(transactionNo)
    }
    await expect(loop()).rejects.toThrow(ConnectionError)
    expect(found).toEqual([AP(1)])
  })

  it('ends at the next page when its signal aborts', async () => {
    gateway.says(page('orders', [order(2)], AP(2)), page('orders', [order(1)], null))
    const stop = new AbortController()
    const loop = async (): Promise<void> => {
      for await (const _ of client.listOrders({}, { signal: stop.signal })) stop.abort()
    }
    await expect(loop()).rejects.toThrow('the call was aborted')
    expect(gateway.seen).toHaveLength(1)
  })
})
