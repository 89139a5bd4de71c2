/** What goes over the wire to WeChat Pay and comes back, against an upstream whose signatures are made by third-party code. */

import { createHash } from 'node:crypto'
import { fen } from '@acopay/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WECHAT_27, wechatBill, wechatRow } from '../../../../test/support/oracle/bills.ts'
import { NOW, SERIAL, type WechatOracle, wechatOracle } from '../../../../test/support/oracle/wechat-pay.ts'
import type { Channel } from '../contract.ts'
import { makeWechat, type WechatAccount } from './index.ts'

let oracle: WechatOracle
let channel: Channel
beforeAll(async () => {
  oracle = await wechatOracle()
  channel = makeWechat(oracle.account, oracle.door)
})
afterAll(() => oracle.stop())
afterEach(() => expect(oracle.complaints).toEqual([]))

const PATIENT = new AbortController().signal
const REF = { attemptNo: 'AT202601310800000000000000000001' }
const OPEN = {
  ...REF,
  method: 'native',
  amountFen: fen(1250n),
  description: '测试',
  expireAt: new Date(NOW.getTime() + 3_600_000),
  notifyUrl: 'https://pay.test/notify/wechat/M1',
  returnUrl: null,
  payerIp: '1.2.3.4',
  openId: null,
}
const REFUND = {
  ...REF,
  paymentNo: '4200001234202601310000000001',
  refundNo: 'AR1',
  amountFen: 500n,
  totalFen: 1250n,
  reason: '商品已退货',
  notifyUrl: 'https://pay.test/notify/wechat/M1',
}
const ABSENT = { status: 404, body: { code: 'ORDER_NOT_EXIST', message: '订单不存在' } }
const query = (of = channel) => of.query(REF, PATIENT)

describe('every request', () => {
  it('names the key that the answer is to be signed with', async () => {
    oracle.says(ABSENT)
    const before = oracle.asked.length
    await channel.open(OPEN, PATIENT)
    await query()
    await channel.close(REF, PATIENT)
    await channel.refund(REFUND, PATIENT)
    await channel.queryRefund(REFUND, PATIENT)
    await channel.fetchUpstreamBill('2026-01-30', PATIENT)
    const asked = oracle.asked.slice(before)
    expect(asked).toHaveLength(6)
    expect(new Set(asked.map(({ headers }) => headers['wechatpay-serial']))).toEqual(new Set([SERIAL]))
  })

  it('names a public key before a certificate, and nothing while none is known', async () => {
    oracle.says(ABSENT)
    const { publicKey = '' } = oracle.account.platformKeys[0] ?? {}
    const serials = async (ids: string[]) => {
      await query(makeWechat({ ...oracle.account, platformKeys: ids.map((id) => ({ id, publicKey })) }, oracle.door))
      return oracle.asked.at(-1)?.headers['wechatpay-serial']
    }
    expect(await serials(['5157F09EFDC096DE15EBE81A47057A7232F1B8E1', SERIAL])).toBe(SERIAL)
    expect(await serials(['5157F09EFDC096DE15EBE81A47057A7232F1B8E1'])).toBe('5157F09EFDC096DE15EBE81A47057A7232F1B8E1')
    expect(await serials([])).toBeUndefined()
  })

  it('for a refund has at most 80 bytes of reason, cut at a whole character', async () => {
    oracle.says(ABSENT)
    const sent = async (reason: string) => {
      await channel.refund({ ...REFUND, reason }, PATIENT)
      return (JSON.parse(oracle.asked.at(-1)?.body ?? '') as { reason: string }).reason
    }
    expect(await sent('商'.repeat(32))).toBe('商'.repeat(26))
    expect(await sent(`${'商'.repeat(26)}😀`)).toBe('商'.repeat(26))
    expect(await sent(`${'商'.repeat(26)}ab`)).toBe(`${'商'.repeat(26)}ab`)
    expect(await sent(`${'商'.repeat(26)}abc`)).toBe(`${'商'.repeat(26)}ab`)
    expect(await sent('é'.repeat(32))).toBe('é'.repeat(32))
  })
})

describe('an answer', () => {
  it('without a signature that refuses the request is unknown, with its word for the operator', async () => {
    const complaint = async (status: number, body: object | string, headers = {}) => {
      oracle.says({ status, body, sign: false, headers })
      const found = await query()
      expect(found.kind).toBe('unknown')
      return found.kind === 'unknown' ? (found.complaint ?? found.why) : ''
    }
    expect(await complaint(401, { code: 'SIGN_ERROR', message: '签名错误' })).toBe('SIGN_ERROR')
    expect(await complaint(403, { code: 'NO_AUTH' })).toBe('NO_AUTH')
    expect(await complaint(400, `\ufeff${JSON.stringify({ code: 'PARAM_ERROR' })}`)).toBe('PARAM_ERROR')
    expect(await complaint(429, { code: 'RATELIMIT_EXCEEDED' })).toBe('HTTP 429 without a signature')
    expect(await complaint(500, { code: 'SYSTEM_ERROR' })).toBe('HTTP 500 without a signature')
    expect(await complaint(200, { code: 'SIGN_ERROR' })).toBe('HTTP 200 without a signature')
    expect(await complaint(403, '<html>')).toBe('HTTP 403 without a signature')
    expect(await complaint(400, { code: 'a b\n' })).toBe('HTTP 400 without a signature')
    expect(await complaint(400, 'null')).toBe('HTTP 400 without a signature')
    const wrong = { 'wechatpay-signature': 'AAAA', 'wechatpay-serial': SERIAL }
    expect(await complaint(401, { code: 'SIGN_ERROR' }, wrong)).toBe('HTTP 401 with a wrong signature')
  })

  it('is verified over its bytes, whatever they are, and read behind a byte order mark', async () => {
    const body = { code: 'ORDER_NOT_EXIST', message: '订单不存在' }
    oracle.says({ status: 404, body: `\ufeff${JSON.stringify(body)}` })
    expect((await query()).kind).toBe('absent')
    // Bytes that are no UTF-8: what they decode to is another text, which has no signature.
    oracle.says({
      status: 404,
      body: Buffer.concat([
        Buffer.from('{"code":"ORDER_NOT_EXIST","message":"'),
        Buffer.from([0xb2, 0xe2]),
        Buffer.from('"}'),
      ]),
    })
    expect((await query()).kind).toBe('unknown')
  })

  it('that asks for fewer requests says for how long', async () => {
    const rest = async (says: Parameters<WechatOracle['says']>[0]) => {
      oracle.says(says)
      const found = await query()
      return found.kind === 'unknown' ? found.restMs : found.kind
    }
    const limited = { status: 429, body: { code: 'FREQUENCY_LIMITED' } }
    expect(await rest(limited)).toBe(1000)
    expect(await rest({ ...limited, sign: false })).toBe(1000)
    expect(await rest({ ...limited, headers: { 'retry-after': '7' } })).toBe(7000)
    expect(await rest({ ...limited, headers: { 'retry-after': new Date(NOW.getTime() + 9000).toUTCString() } })).toBe(
      9000,
    )
    expect(await rest({ ...limited, headers: { 'retry-after': '86400' } })).toBe(300_000)
    expect(await rest({ ...limited, headers: { 'retry-after': 'soon' } })).toBe(1000)
    expect(await rest({ status: 503, body: '', sign: false, headers: { 'retry-after': '3' } })).toBe(3000)
    expect(await rest({ status: 403, body: { code: 'RATELIMIT_EXCEEDED' } })).toBe(1000)
    expect(await rest({ status: 403, body: { code: 'FREQUENCY_LIMIT_EXCEED' } })).toBe(1000)
    expect(await rest({ status: 500, body: { code: 'SYSTEM_ERROR' } })).toBeUndefined()
  })
})

describe('the second domain', () => {
  const [MAIN, SPARE] = ['https://api.mch.weixin.qq.com', 'https://api2.mch.weixin.qq.com']
  /** Both domains lead to the oracle, as long as they can be reached. */
  function reached(more: Partial<WechatAccount>, isDown: (origin: string) => boolean) {
    const asked: string[] = []
    const passing: typeof fetch = async (input, init) => {
      const url = new URL(String(input))
      asked.push(url.origin)
      if (isDown(url.origin)) throw new TypeError('fetch failed')
      return fetch(new URL(url.pathname + url.search, oracle.url), init)
    }
    return { asked, of: makeWechat({ ...oracle.account, baseUrl: MAIN, ...more }, { ...oracle.door, fetch: passing }) }
  }

  it('is tried when the first cannot be reached, and stays until it cannot be reached either', async () => {
    oracle.says(ABSENT)
    let down = MAIN
    const { asked, of } = reached({}, (origin) => origin === down)
    expect([(await query(of)).kind, (await query(of)).kind]).toEqual(['absent', 'absent'])
    expect(asked).toEqual([MAIN, SPARE, SPARE])
    down = SPARE
    expect((await query(of)).kind).toBe('absent')
    expect(asked.slice(3)).toEqual([SPARE, MAIN])
  })

  it('and the first are each tried once', async () => {
    const { asked, of } = reached({ baseUrl: `${SPARE}/` }, () => true)
    expect((await query(of)).kind).toBe('unknown')
    expect(asked).toEqual([SPARE, MAIN])
  })

  it('is not there for another address, and not tried for a caller who gave up', async () => {
    const elsewhere = reached({ baseUrl: 'https://wechat.test' }, () => true)
    await query(elsewhere.of)
    expect(elsewhere.asked).toEqual(['https://wechat.test'])
    const caller = new AbortController()
    const { asked, of } = reached({}, () => {
      caller.abort()
      return true
    })
    await of.query(REF, caller.signal)
    expect(asked).toEqual([MAIN])
  })

  it('may have the bill, and no other host may', async () => {
    const file = wechatBill(WECHAT_27, [wechatRow(WECHAT_27)])
    const hash_value = createHash('sha1').update(file).digest('hex')
    const kinds: string[] = []
    for (const origin of [MAIN, SPARE, 'https://api3.mch.weixin.qq.com', 'http://api.mch.weixin.qq.com']) {
      oracle.says(({ url }) =>
        url.includes('/billdownload/')
          ? { body: file, sign: false }
          : { body: { hash_type: 'SHA1', hash_value, download_url: `${origin}/v3/billdownload/file?token=x` } },
      )
      kinds.push((await reached({}, () => false).of.fetchUpstreamBill('2026-01-30', PATIENT)).kind)
    }
    expect(kinds).toEqual(['bill', 'bill', 'unknown', 'unknown'])
  })
})

describe('a bill', () => {
  it('is believed with its hash alone', async () => {
    const file = wechatBill(WECHAT_27, [wechatRow(WECHAT_27)])
    const right = createHash('sha1').update(file).digest('hex')
    const read = async (hash: object, status = 200) => {
      oracle.says(({ url }) =>
        url.includes('/billdownload/')
          ? { status, body: file, sign: false }
          : {
              body: {
                hash_type: 'SHA1',
                hash_value: right,
                download_url: `${oracle.url}/v3/billdownload/file?token=x`,
                ...hash,
              },
            },
      )
      return (await channel.fetchUpstreamBill('2026-01-30', PATIENT)).kind
    }
    expect(await read({})).toBe('bill')
    expect(await read({ hash_value: right.replace(/./, 'x') })).toBe('unknown')
    expect(await read({ hash_type: 'MD5' })).toBe('unknown')
    expect(await read({ download_url: undefined })).toBe('unknown')
    expect(await read({}, 404)).toBe('unknown')
  })
})

it('a code and a sheet live two hours, a page four minutes; a create may land for five minutes', () => {
  const twoHours = 7_200_000
  expect(channel.payUrlTtlMs).toEqual({
    native: twoHours,
    h5: 240_000,
    jsapi: twoHours,
    app: twoHours,
    mini: twoHours,
  })
  expect([channel.createInFlightMs, channel.latePaymentWindowMs]).toEqual([300_000, 86_400_000])
})
