/** WeChat Pay's bill as it is: 27 or 24 columns, back-ticks, whatever merchants name their goods, and rows that are broken. */
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { WECHAT_24, WECHAT_27, wechatBill, wechatRow } from '../../../../test/support/oracle/bills.ts'
import { readBill } from './bill.ts'

const read = (rows: string[], columns = WECHAT_27) => readBill(wechatBill(columns, rows))
const row = (cells: Record<string, string> = {}) => wechatRow(WECHAT_27, cells)

const PAYMENT = {
  kind: 'payment',
  attemptNo: 'AT202601301200000000000000000001',
  paymentNo: '4200001234202601300000000001',
  amountFen: 1250n,
  at: new Date('2026-01-30T04:00:00Z'),
}
const REFUND = {
  交易状态: 'REFUND',
  微信退款单号: '50300000000000000000000000001',
  商户退款单号: 'AR1',
  退款类型: 'ORIGINAL',
  退款状态: 'SUCCESS',
}
const SENT_BACK = { ...PAYMENT, kind: 'refund', refundNo: 'AR1', amountFen: 500n }

describe("WeChat Pay's bill", () => {
  it.each([
    ['27', WECHAT_27, { 申请退款金额: '5.00', 退款金额: '4.00' }],
    ['24', WECHAT_24, { 退款金额: '5.00' }],
  ])('of %s columns is read, to the fen', async (_count, columns, amounts) => {
    const refund = wechatRow(columns, { ...REFUND, ...amounts })
    expect(await read([wechatRow(columns), refund], columns)).toEqual([PAYMENT, SENT_BACK])
  })

  it('is read whatever a merchant calls the goods', async () => {
    const names = [
      '',
      ',',
      '`',
      ',`',
      '套餐A,`赠品',
      'a,`b,`c,`d,`e,`f,`g,`h',
      '"x"',
      '第一行\n第二行',
      '第一行\r\n`第二行',
      'a,`b\n,`c',
      '\n\n',
      '总交易单数',
      'a\n总交易单数',
      '😀'.repeat(60),
    ]
    const wrong: string[] = []
    for (const goods of names) {
      const rows = [row({ 商品名称: goods }), row(), row({ ...REFUND, 商品名称: goods, 申请退款金额: '5.00' })]
      if (!isDeepStrictEqual(await read(rows), [PAYMENT, PAYMENT, SENT_BACK])) wrong.push(goods)
    }
    expect(wrong).toEqual([])
  })

  it('has one line for each row that cannot be read, and all the others', async () => {
    const broken: [cells: Record<string, string>, why: string][] = [
      [{ 交易时间: 'yesterday' }, '交易时间'],
      [{ 交易时间: '2026-13-30 12:00:00' }, '交易时间'],
      [{ 交易状态: 'TOMORROW' }, '交易状态'],
      [{ 商户订单号: '' }, '商户订单号'],
      [{ 微信订单号: 'a b' }, '微信订单号'],
      [{ 订单金额: '0.60%' }, '订单金额'],
      [{ 订单金额: '0.00' }, '订单金额'],
      [{ 订单金额: '-12.50' }, '订单金额'],
      [{ ...REFUND, 申请退款金额: '' }, '申请退款金额'],
      [{ ...REFUND, 申请退款金额: '5.00', 商户退款单号: '' }, '商户退款单号'],
      [{ ...REFUND, 申请退款金额: '5.00', 退款状态: '' }, '退款状态'],
      [{ ...REFUND, 申请退款金额: '5.00', 退款状态: 'TOMORROW' }, '退款状态'],
    ]
    for (const [cells, why] of broken) {
      const found = await read([row(), row(cells), row()])
      expect(found, why).toEqual([PAYMENT, expect.objectContaining({ kind: 'unreadable', row: 2, why }), PAYMENT])
    }
    expect(await read([row(), '`2026-01-30 12:00:00,`wx1,`cut', row()])).toEqual([
      PAYMENT,
      { kind: 'unreadable', row: 2, attemptNo: '', paymentNo: '', why: '3 of 27 cells' },
      PAYMENT,
    ])
  })

  it('counts as sent back only what it calls successful', async () => {
    const states = ['SUCCESS', 'PROCESSING', 'FAIL', 'CHANGE']
    const found = await Promise.all(
      states.map((state) => read([row({ ...REFUND, 退款状态: state, 申请退款金额: '5.00' })])),
    )
    expect(found).toEqual([
      [SENT_BACK],
      [],
      [{ ...SENT_BACK, kind: 'refund_not_done', why: 'FAIL' }],
      [{ ...SENT_BACK, kind: 'refund_not_done', why: 'CHANGE' }],
    ])
  })

  it('knows nothing of revoked payments, and is nothing without its columns', async () => {
    expect(await read([row({ 交易状态: 'REVOKED' })])).toEqual([])
    expect(await read([])).toEqual([])
    for (const column of [
      '交易时间',
      '微信订单号',
      '商户订单号',
      '交易状态',
      '商户退款单号',
      '退款状态',
      '商品名称',
      '订单金额',
      '申请退款金额',
    ]) {
      const columns = WECHAT_27.replace('退款金额,充值券', 'x,充值券').replace(
        new RegExp(`(^|,)${column}(,|$)`),
        '$1另一列$2',
      )
      await expect(read([], columns), column).rejects.toThrow(`the bill has no column ${column}`)
    }
    await expect(readBill(Buffer.alloc(0))).rejects.toThrow('no column')
  })
})
