/**
 * Everything that the console shows, field by field, over the rows of support/console-rows.ts: each list as a whole, under each
 * of its filters at its bounds, and page by page; one order, one merchant, the overview. Written by hand from docs/console.md.
 */

import { createHash } from 'node:crypto'
import { type BillRow, billRows } from '@acopay/store'
import { countedHours, countHour } from '@acopay/store/console'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hashing } from '../apps/server/src/security/hashing.ts'
import { isPassword } from '../apps/server/src/security/passwords.ts'
import { masterKeysOf } from '../apps/server/src/security/vault.ts'
import { sealSettings } from '../apps/server/src/upstream/accounts.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { at, no, START, t, type Who, writeConsoleRows } from './support/console-rows.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const DAY = '2026-02-28'
const SHA = 'ab'.repeat(32)
const [ATTEMPT, THIRD] = [at(1), at(3)]

let gateway: TestWorld
let admin: ConsoleClient
beforeAll(async () => {
  gateway = await testWorld({ start: START })
  await writeConsoleRows(gateway, gateway.demo.platformPublicKey)
  await addUser(gateway, 'admin', 'platform_admin')
  admin = await signedIn(gateway, 'admin')
})
afterAll(() => gateway.stop())

type Row = Record<string, unknown>
const of = <Value>(who: Who, a: Value, b: Value): Value => (who === 'A' ? a : b)
const channel = (who: Who, count = 1): string => ((who === 'A') === (count !== 2) ? 'wechat' : 'alipay')
const method = (who: Who, count = 1): string => ((who === 'A') === (count !== 2) ? 'native' : 'page')
const orderNo = (who: Who, count: number): string => no('AP', who, 1129 + count)

const order = (who: Who, count: number, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  transaction_no: orderNo(who, count),
  mch_trade_no: `trade-${count}`,
  app_no: 'APP1',
  description: `${who} ${count}`,
  close_reason: null,
  pay_channel: null,
  pay_method: null,
  created_at: t(`03:${29 + count}:00`),
  time_expire: t(`05:${29 + count}:00`),
  success_time: null,
  // The first two have a payment that went back.
  sent_back: count <= 2,
  ...more,
})

const ORDERS = (['B', 'A'] as const).flatMap((who): [string, Row][] => [
  [
    `${who}1`,
    order(who, 1, {
      amount_total: of(who, '12.50', '22.50'),
      state: 'REFUND',
      success_time: t('03:30:40'),
      pay_channel: channel(who),
      pay_method: method(who),
    }),
  ],
  [`${who}2`, order(who, 2, { amount_total: of(who, '1.00', '11.00'), state: 'CLOSED', close_reason: 'MERCHANT' })],
  [
    `${who}3`,
    order(who, 3, {
      amount_total: of(who, '2.00', '12.00'),
      state: 'CLOSING',
      close_reason: 'EXPIRED',
      time_expire: t('03:40:00'),
    }),
  ],
  [
    `${who}4`,
    order(who, 4, {
      amount_total: of(who, '3.00', '13.00'),
      state: 'NOTPAY',
      pay_channel: of(who, null, 'wechat'),
      time_expire: of(who, t('03:50:00'), t('03:49:59.999')),
    }),
  ],
])

const refund = (who: Who, count: number, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  transaction_no: orderNo(who, 1),
  refund_no: no('AR', who, 1140 + count),
  mch_refund_no: `refund-${count}`,
  attempt_no: at(1),
  channel: channel(who),
  reason: `${who} ${count}`,
  failure: null,
  created_at: t(`03:4${count}:00`),
  success_time: null,
  is_stuck: false,
  last_answer: null,
  last_answer_at: null,
  ...more,
})

const REFUNDS = (['B', 'A'] as const).flatMap((who): [string, Row][] => [
  [`${who}1`, refund(who, 1, { amount: of(who, '0.50', '0.60'), state: 'SUCCESS', success_time: t('03:41:30') })],
  [`${who}2`, refund(who, 2, { amount: of(who, '0.70', '0.80'), state: 'FAIL', failure: 'NOT_ENOUGH' })],
  [
    `${who}3`,
    refund(who, 3, {
      amount: of(who, '0.90', '0.95'),
      state: 'PROCESSING',
      is_stuck: who === 'A',
      created_at: of(who, t('03:49:59.998'), t('03:50:00')),
      last_answer: 'refund: unknown',
      last_answer_at: t('03:44:00'),
    }),
  ],
])

const REVERSALS = (['B', 'A'] as const).flatMap((who): [string, Row][] => [
  [
    `${who}1`,
    {
      mch_no: `MCH-${who}`,
      transaction_no: orderNo(who, 1),
      refund_no: no('AR', who, 1151),
      attempt_no: at(1),
      payment_no: 'UP2',
      channel: channel(who),
      amount: of(who, '12.51', '22.51'),
      state: 'SUCCESS',
      by_upstream: false,
      created_at: t('03:31:00'),
      changed_at: t('03:33:00'),
      is_stuck: false,
      last_answer: null,
      last_answer_at: null,
    },
  ],
  [
    `${who}2`,
    {
      mch_no: `MCH-${who}`,
      transaction_no: orderNo(who, 2),
      refund_no: no('AR', who, 1152),
      attempt_no: at(3),
      payment_no: 'UP3',
      channel: channel(who),
      amount: of(who, '1.00', '11.00'),
      state: 'PROCESSING',
      by_upstream: false,
      created_at: of(who, t('03:49:59.997'), t('03:50:00')),
      changed_at: t('03:52:00'),
      is_stuck: who === 'A',
      last_answer: 'refund: refused',
      last_answer_at: t('03:53:00'),
    },
  ],
])

const NOTIFICATIONS = (['B', 'A'] as const).flatMap((who): [string, Row][] => [
  [
    `${who}1`,
    {
      mch_no: `MCH-${who}`,
      transaction_no: orderNo(who, 1),
      seq: 1,
      kind: 'payment',
      state: 'DELIVERED',
      url: 'https://shop.example/1/1',
      tries: 2,
      created_at: t('03:30:41'),
      next_at: null,
      tried_at: t('03:31:00'),
      http_status: 200,
      failure: null,
    },
  ],
  [
    `${who}2`,
    {
      mch_no: `MCH-${who}`,
      transaction_no: orderNo(who, 1),
      seq: 2,
      kind: 'refund',
      state: 'PENDING',
      url: 'https://shop.example/1/2',
      tries: 1,
      created_at: t('03:41:31'),
      next_at: t('04:05:00'),
      tried_at: null,
      http_status: null,
      failure: null,
    },
  ],
  [
    `${who}3`,
    {
      mch_no: `MCH-${who}`,
      transaction_no: orderNo(who, 2),
      seq: 1,
      kind: 'payment',
      state: 'DEAD',
      url: 'https://shop.example/2/1',
      tries: 3,
      created_at: t('03:41:31'),
      next_at: null,
      tried_at: t('03:36:00'),
      http_status: null,
      failure: 'timeout',
    },
  ],
])

const bill = (who: Who, bill_day: string, lines: number, has_file: boolean): Row => ({
  mch_no: `MCH-${who}`,
  bill_day,
  lines,
  size_bytes: lines * 11,
  sha256: lines === 0 ? null : SHA,
  made_at: t(`01:0${lines}:00`),
  has_file,
})

const reconciled = (who: Who, name: string, day: string, rest: [number, number, number, string]): Row => {
  const [lines, differences, unsettled, done_at] = rest
  return { mch_no: `MCH-${who}`, channel: name, day, lines, differences, unsettled, done_at: t(done_at) }
}

const difference = (who: Who, name: string, kind: string, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  channel: name,
  day: DAY,
  kind,
  attempt_no: at(1),
  payment_no: 'UP1',
  refund_no: '',
  transaction_no: orderNo(who, 1),
  ours: null,
  theirs: null,
  settled: false,
  note: null,
  settled_by: null,
  found_at: t('02:00:00'),
  ...more,
})

const stray = (who: Who, name: string, [attempt_no, payment_no]: [string, string], more: Row): Row => ({
  mch_no: `MCH-${who}`,
  channel: name,
  attempt_no,
  payment_no,
  currency: 'CNY',
  paid_at: t('03:00:00'),
  reported_at: t('03:10:00'),
  settled: false,
  note: null,
  settled_by: null,
  ...more,
})

const job = (who: Who, kind: string, subject: string, rest: [number | null, number, string, string]): Row => {
  const [ofOrder, tries, due_at, created_at] = rest
  const transaction_no = ofOrder === null ? null : orderNo(who, ofOrder)
  return { mch_no: `MCH-${who}`, kind, subject, transaction_no, tries, due_at: t(due_at), created_at: t(created_at) }
}

const audit = (count: number, more: Row): Row => ({
  audit_no: `AL2026022812000000${count}${'0'.repeat(19)}`,
  at: `2026-02-28T04:00:0${count}.000Z`,
  username: 'somebody',
  address: `10.0.0.${count}`,
  action: 'orders.close',
  mch_no: null,
  subject: null,
  outcome: 'DONE',
  detail: {},
  changes: {},
  ...more,
})

/**
 * Every list: its rows by name, and which rows each query answers, in their order; an empty query answers all of them.
 */
type List = { rows: Record<string, Row>; queries: Record<string, string> }

const LISTS: Record<string, List> = {
  orders: {
    rows: Object.fromEntries(ORDERS),
    queries: {
      '': 'B4 A4 B3 A3 B2 A2 B1 A1',
      'mch_no=MCH-A': 'A4 A3 A2 A1',
      'mch_no=MCH-B': 'B4 B3 B2 B1',
      'state=NOTPAY': 'B4 A4',
      'state=CLOSING': 'B3 A3',
      'state=CLOSING&mch_no=MCH-B': 'B3',
      'state=CLOSING&amount_min=2.01': 'B3',
      'state=CLOSING&amount_max=11.99': 'A3',
      'state=CLOSING&from=2026-03-01T03:33:00Z': '',
      'state=CLOSING&until=2026-03-01T03:32:00Z': '',
      'state=CLOSED': 'B2 A2',
      'state=REFUND': 'B1 A1',
      'state=SUCCESS': '',
      'state=STUCK': 'B4 A3',
      'state=STUCK&mch_no=MCH-A': 'A3',
      'state=STUCK&mch_no=MCH-B': 'B4',
      'state=STUCK&channel=wechat': 'B4',
      'state=STUCK&channel=alipay': '',
      'state=STUCK&amount_min=2.01': 'B4',
      'state=STUCK&amount_max=12.99': 'A3',
      'state=STUCK&amount_min=2&amount_max=13': 'B4 A3',
      'state=STUCK&from=2026-03-01T03:33:00Z': 'B4',
      'state=STUCK&until=2026-03-01T03:33:00Z': 'A3',
      'channel=wechat': 'B4 A1',
      'channel=alipay': 'B1',
      'channel=alipay&mch_no=MCH-A': '',
      'amount_min=12.5': 'B4 B1 A1',
      'amount_max=11': 'A4 A3 B2 A2',
      'amount_min=11&amount_max=12': 'B3 B2',
      'from=2026-03-01T03:32:00Z': 'B4 A4 B3 A3',
      'from=2026-03-01T03:32:00Z&mch_no=MCH-A': 'A4 A3',
      'until=2026-03-01T03:32:00Z': 'B2 A2 B1 A1',
      'until=2026-03-01T03:32:00Z&mch_no=MCH-A': 'A2 A1',
    },
  },
  refunds: {
    rows: Object.fromEntries(REFUNDS),
    queries: {
      '': 'B3 A3 B2 A2 B1 A1',
      'mch_no=MCH-A': 'A3 A2 A1',
      'state=PROCESSING': 'B3 A3',
      'state=PROCESSING&mch_no=MCH-B': 'B3',
      'state=SUCCESS': 'B1 A1',
      'state=FAIL': 'B2 A2',
      'state=FAIL&mch_no=MCH-B': 'B2',
      'state=STUCK': 'A3',
      'state=STUCK&mch_no=MCH-B': '',
      'number=refund-2': 'B2 A2',
      'number=refund-2&mch_no=MCH-A': 'A2',
      'number=refund-2&state=SUCCESS': '',
      'number=refund-3&state=STUCK': 'A3',
      [`number=${no('AR', 'A', 1141)}`]: 'A1',
      [`number=${orderNo('B', 1)}`]: 'B3 B2 B1',
      [`number=${orderNo('B', 1)}&state=PROCESSING`]: 'B3',
      [`number=${orderNo('B', 2)}`]: '',
    },
  },
  reversals: {
    rows: Object.fromEntries(REVERSALS),
    queries: {
      '': 'B2 A2 B1 A1',
      'mch_no=MCH-B': 'B2 B1',
      'state=PROCESSING': 'B2 A2',
      'state=PROCESSING&mch_no=MCH-B': 'B2',
      'state=SUCCESS': 'B1 A1',
      'state=FAIL': '',
      'state=STUCK': 'A2',
      'state=STUCK&mch_no=MCH-B': '',
      'number=UP2': 'B1 A1',
      'number=UP2&mch_no=MCH-A': 'A1',
      'number=UP3&state=STUCK': 'A2',
      [`number=${no('AR', 'A', 1151)}`]: 'A1',
      [`number=${orderNo('B', 2)}`]: 'B2',
    },
  },
  notifications: {
    rows: Object.fromEntries(NOTIFICATIONS),
    queries: {
      '': 'B3 B2 A3 A2 B1 A1',
      'mch_no=MCH-A': 'A3 A2 A1',
      'state=PENDING': 'B2 A2',
      'state=PENDING&mch_no=MCH-A': 'A2',
      'state=DEAD': 'B3 A3',
      'state=DEAD&mch_no=MCH-B': 'B3',
      'state=DELIVERED': 'B1 A1',
      'state=DELIVERED&mch_no=MCH-B': 'B1',
      [`transaction_no=${orderNo('A', 1)}`]: 'A2 A1',
      [`transaction_no=${orderNo('A', 1)}&state=DELIVERED`]: 'A1',
      [`transaction_no=${orderNo('A', 1)}&state=PENDING`]: 'A2',
      [`transaction_no=${orderNo('A', 1)}&mch_no=MCH-B`]: '',
      'from=2026-03-01T03:41:31Z': 'B3 B2 A3 A2',
      'from=2026-03-01T03:41:31Z&mch_no=MCH-A': 'A3 A2',
      'from=2026-03-01T03:41:31Z&state=DEAD': 'B3 A3',
      'from=2026-03-01T03:41:31.001Z&state=DEAD': '',
      'until=2026-03-01T03:41:31Z': 'B1 A1',
      'until=2026-03-01T03:41:31Z&mch_no=MCH-A': 'A1',
      'until=2026-03-01T03:41:31Z&state=DEAD': '',
      'until=2026-03-01T03:41:31.001Z&state=DEAD': 'B3 A3',
    },
  },
  bills: {
    rows: {
      a28: bill('A', DAY, 3, true),
      a27: bill('A', '2026-02-27', 0, false),
      b28: bill('B', DAY, 4, false),
      b27: bill('B', '2026-02-27', 5, false),
    },
    queries: { '': 'b28 a28 b27 a27', 'mch_no=MCH-A': 'a28 a27' },
  },
  reconciliations: {
    rows: {
      'b w28': reconciled('B', 'wechat', DAY, [7, 2, 1, '02:03:00']),
      'a w28': reconciled('A', 'wechat', DAY, [9, 4, 3, '02:01:00']),
      'a a28': reconciled('A', 'alipay', DAY, [8, 1, 0, '02:02:00']),
      'a w27': reconciled('A', 'wechat', '2026-02-27', [6, 3, 1, '02:04:00']),
    },
    queries: { '': 'b w28,a w28,a a28,a w27', 'mch_no=MCH-A': 'a w28,a a28,a w27' },
  },
  differences: {
    rows: {
      d1: difference('A', 'wechat', 'PAYMENT_AMOUNT', { ours: '1.00', theirs: '1.01' }),
      d2: difference('A', 'wechat', 'PAYMENT_AMOUNT', { payment_no: 'UP2', ours: '0.05' }),
      d3: difference('A', 'wechat', 'REFUND_UNKNOWN', {
        attempt_no: 'AT0',
        refund_no: 'R1',
        transaction_no: null,
        theirs: '0.07',
      }),
      d4: difference('A', 'wechat', 'REFUND_UNKNOWN', {
        attempt_no: 'AT0',
        refund_no: 'R2',
        transaction_no: null,
        theirs: '0.08',
        settled: true,
        note: 'sent by hand',
        settled_by: 'fin',
      }),
      d5: difference('B', 'wechat', 'PAYMENT_MISSING', { ours: '0.01' }),
      d6: difference('A', 'wechat', 'PAYMENT_MISSING', { day: '2026-02-27', ours: '0.02' }),
      d7: difference('A', 'alipay', 'PAYMENT_MISSING', {
        attempt_no: at(2),
        payment_no: 'UP9',
        ours: '0.03',
        settled: true,
      }),
    },
    queries: {
      '': 'd5 d3 d2 d1 d6 d4 d7',
      'mch_no=MCH-A': 'd3 d2 d1 d6 d4 d7',
      'mch_no=MCH-B': 'd5',
      'settled=false': 'd5 d3 d2 d1 d6',
      'settled=true': 'd4 d7',
      'settled=true&mch_no=MCH-B': '',
      'channel=alipay': 'd7',
      'channel=wechat&mch_no=MCH-A': 'd3 d2 d1 d6 d4',
      'day=2026-02-27': 'd6',
      'day=2026-02-28&mch_no=MCH-A&settled=false': 'd3 d2 d1',
    },
  },
  'unmatched-payments': {
    rows: {
      s1: stray('A', 'wechat', ['AT0', 'S1'], { amount: '5.00' }),
      s2: stray('A', 'wechat', ['AT0', 'S2'], { amount: '6.00' }),
      s3: stray('A', 'alipay', ['AT0', 'S1'], { amount: '7.00' }),
      s4: stray('B', 'wechat', ['AT0', 'S1'], { amount: '8.00' }),
      s5: stray('A', 'wechat', ['AT9', 'S1'], {
        amount: '9.00',
        reported_at: t('03:20:00'),
        settled: true,
        settled_by: 'fin',
        note: 'paid back',
      }),
    },
    queries: {
      '': 's4 s2 s1 s3 s5',
      'mch_no=MCH-A': 's2 s1 s3 s5',
      'settled=true': 's5',
      'settled=false': 's4 s2 s1 s3',
      'settled=true&mch_no=MCH-B': '',
      'channel=alipay': 's3',
      'channel=wechat&mch_no=MCH-A': 's2 s1 s5',
    },
  },
  jobs: {
    rows: {
      bw: job('B', 'watch_attempt', at(2), [1, 9, '03:40:00', '03:31:00']),
      br: job('B', 'reverse_payment', no('AR', 'B', 1152), [2, 2, '03:49:59.999', '03:31:30']),
      am: job('A', 'make_bill', DAY, [null, 0, '03:00:00', '03:32:00']),
      as: job('A', 'shut_attempts', orderNo('A', 3), [3, 1, '03:49:59.999', '03:32:00']),
      bs: job('B', 'shut_attempts', orderNo('B', 3), [3, 1, '03:49:59.999', '03:32:00']),
      ar: job('A', 'send_refund', no('AR', 'A', 1143), [1, 3, '04:30:00', '03:43:00']),
      bf: job('B', 'send_refund', no('AR', 'B', 1143), [1, 3, '04:30:00', '03:43:00']),
    },
    queries: { '': 'bw br am as bs ar bf', 'mch_no=MCH-A': 'am as ar' },
  },
  merchants: {
    rows: {
      a: { mch_no: 'MCH-A', name: '商户A', enabled: true, created_at: '2026-01-01T00:00:00.000Z', apps: 2, keys: 2 },
      b: { mch_no: 'MCH-B', name: '商户B', enabled: true, created_at: '2026-01-01T00:00:00.000Z', apps: 1, keys: 0 },
      c: { mch_no: 'MCH-C', name: '停用', enabled: false, created_at: t('00:00:00'), apps: 0, keys: 0 },
      demo: expect.objectContaining({ mch_no: 'MCH1000000', enabled: true, apps: 1, keys: 1 }),
    },
    queries: { '': 'a b c demo' },
  },
  users: {
    rows: {
      admin: {
        username: 'admin',
        role: 'platform_admin',
        mch_no: null,
        enabled: true,
        totp_enabled: false,
        passkeys: 0,
        locked_until: null,
        last_signed_in_at: START.toISOString(),
        created_at: '2026-01-01T00:00:00.000Z',
      },
      locked: {
        username: 'b-locked',
        role: 'merchant_viewer',
        mch_no: 'MCH-A',
        enabled: false,
        totp_enabled: true,
        passkeys: 2,
        locked_until: t('04:00:00.001'),
        last_signed_in_at: t('02:00:00'),
        created_at: t('01:00:00'),
      },
      open: {
        username: 'c-open',
        role: 'merchant_admin',
        mch_no: 'MCH-B',
        enabled: true,
        totp_enabled: false,
        passkeys: 0,
        locked_until: null,
        last_signed_in_at: null,
        created_at: t('01:01:00'),
      },
    },
    queries: { '': 'admin locked open' },
  },
  audit: {
    rows: {
      l1: audit(1, { mch_no: 'MCH-A', subject: 'one', detail: { seq: 1 } }),
      l2: audit(2, { action: 'users.add', outcome: 'BEGUN' }),
      l3: audit(3, { username: 'another', mch_no: 'MCH-B', subject: 'three' }),
      in: {
        audit_no: expect.stringMatching(/^AL20260301120000000\d{19}$/),
        at: START.toISOString(),
        username: 'admin',
        address: '127.0.0.1',
        action: 'session.begin',
        mch_no: null,
        subject: 'admin',
        outcome: 'DONE',
        detail: {},
        changes: {},
      },
    },
    queries: {
      '': 'in l3 l2 l1',
      'mch_no=MCH-A': 'l1',
      'username=somebody': 'l2 l1',
      'action=orders.close': 'l3 l1',
      'from=2026-02-28T04:00:02Z': 'in l3 l2',
      'until=2026-02-28T04:00:02Z': 'l1',
      'from=2026-02-28T04:00:02Z&until=2026-02-28T04:00:03Z': 'l2',
    },
  },
}

/** Every row of a query, `size` at a time. */
async function pages(path: string, query: string, size: number): Promise<Row[]> {
  const rows: Row[] = []
  for (let after = ''; rows.length < 50; ) {
    const { status, body } = await admin.get(`${path}?${query}&limit=${size}&after=${encodeURIComponent(after)}`)
    if (status !== 200) throw new Error(`${path}?${query}: ${JSON.stringify(body)}`)
    rows.push(...body.rows)
    if (body.rows.length > size) throw new Error(`${path}?${query}: a page of ${body.rows.length}`)
    if (body.next === null) return rows
    after = body.next
  }
  throw new Error(`${path}?${query} by ${size} does not end`)
}

it.each(Object.entries(LISTS))(
  'the list of %s shows each field, chooses by each filter, and goes on where a page ends',
  async (path, list) => {
    const named = (row: Row): string =>
      Object.keys(list.rows).find((name) => {
        try {
          expect(row).toEqual(list.rows[name])
          return true
        } catch {
          return false
        }
      }) ?? JSON.stringify(row)
    const separator = Object.keys(list.rows).some((name) => name.includes(' ')) ? ',' : ' '
    expect(await pages(path, '', 100)).toEqual((list.queries[''] ?? '').split(separator).map((name) => list.rows[name]))
    const wrong: string[] = []
    for (const [query, expected] of Object.entries(list.queries)) {
      for (const size of [100, 2, 1]) {
        const found = (await pages(path, query, size)).map(named).join(separator)
        if (found !== expected) wrong.push(`${query} by ${size}: ${found}, not ${expected}`)
      }
    }
    expect(wrong).toEqual([])
  },
)

it('a search by a number finds the orders of both merchants, or of the one that is asked for, up to the limit', async () => {
  const found = async (query: string) =>
    (await admin.get(`orders?${query}`)).body.rows.map(
      ({ mch_no, transaction_no }: Row) => `${mch_no} ${transaction_no}`,
    )
  const both = (count: number) => (['B', 'A'] as const).map((who) => `MCH-${who} ${orderNo(who, count)}`)
  const rows: [query: string, expected: string[]][] = [
    ['number=trade-1', both(1)],
    ['number=trade-1&mch_no=MCH-A', both(1).slice(1)],
    ['number=trade-1&limit=1', both(1).slice(0, 1)],
    [`number=${orderNo('A', 2)}`, both(2).slice(1)],
    [`number=${orderNo('A', 2)}&mch_no=MCH-B`, []],
    ['number=UP3', both(2)],
    ['number=UP3&mch_no=MCH-B', both(2).slice(0, 1)],
    ['number=refund-2', both(1)],
    [`number=${no('AR', 'A', 1142)}`, both(1).slice(1)],
    [`number=${no('AR', 'A', 1152)}`, both(2).slice(1)],
    [`number=${at(4)}`, both(3)],
    [`number=${at(4)}&mch_no=MCH-A`, both(3).slice(1)],
    ['number=nothing', []],
  ]
  for (const [query, expected] of rows) expect(await found(query), query).toEqual(expected)
})

it('one order is shown with all that belongs to it, and nothing of the other', async () => {
  for (const who of ['A', 'B'] as const) {
    const { body } = await admin.get(`orders/MCH-${who}/${orderNo(who, 1)}`)
    const { moves, states, ...shown } = body
    const named = (rows: [string, Row][], ...names: string[]) =>
      names.map((name) => Object.fromEntries(rows)[who + name])
    const attempt = (count: number, more: Row): Row => ({
      attempt_no: at(count),
      channel: channel(who, count),
      method: method(who, count),
      upstream_expire: t('05:00:00'),
      created_at: t(`03:30:0${count}`),
      changed_at: t(`03:30:4${count}`),
      ...more,
    })
    const payment = (payment_no: string, more: Row): Row => ({
      attempt_no: at(1),
      payment_no,
      channel: channel(who),
      currency: 'CNY',
      ...more,
    })
    expect(shown).toEqual({
      ...named(ORDERS, '1')[0],
      extra: '{"a":1}',
      notify_url: 'https://shop.example/1',
      acoid: 'payer-1',
      cashier_url: expect.stringContaining(`${gateway.demo.baseUrl}/cashier/MCH-${who}/${orderNo(who, 1)}/`),
      allowed: ['refund', 'resend'],
      // Of what was paid, the refund that was made and the one under way are gone; the one that failed is not.
      refundable: of(who, '11.10', '20.95'),
      timeline: [
        { seq: 1, at: t('03:31:01'), event: 'placed', from: null, to: 'NOTPAY', detail: {}, hash: 'a1' },
        {
          seq: 2,
          at: t('03:31:02'),
          event: 'money_arrived',
          from: 'NOTPAY',
          to: 'SUCCESS',
          hash: 'a2',
          detail: { amount: '12.50' },
        },
      ],
      created_at: t('03:31:01'),
      timeline_broken_at: 1,
      attempts: [
        attempt(1, { state: 'PAID', watched_until: null, last_answer: null, last_answer_at: null }),
        attempt(2, {
          state: 'SHUT',
          watched_until: of(who, t('04:10:00'), t('03:40:00')),
          last_answer: 'query: open',
          last_answer_at: t('03:30:43'),
        }),
      ],
      payments: [
        payment('UP1', {
          amount: of(who, '12.50', '22.50'),
          fate: 'keep',
          paid_at: t('03:30:40'),
          booked_at: t('03:30:41'),
        }),
        payment('UP2', {
          amount: of(who, '12.51', '22.51'),
          fate: 'reverse',
          paid_at: t('03:30:39'),
          booked_at: t('03:30:51'),
        }),
      ],
      refunds: named(REFUNDS, '1', '2', '3'),
      reversals: named(REVERSALS, '1'),
      notifications: named(NOTIFICATIONS, '2', '1'),
      notes: [],
      tags: [],
      jobs: [
        {
          kind: 'watch_attempt',
          subject: at(2),
          tries: 9,
          due_at: of(who, t('04:10:00'), t('03:40:00')),
          created_at: t('03:31:00'),
        },
        {
          kind: 'send_refund',
          subject: no('AR', who, 1143),
          tries: 3,
          due_at: t('04:30:00'),
          created_at: t('03:43:00'),
        },
      ],
    })
    expect(states).toEqual(['NOTPAY', 'CLOSING', 'CLOSED', 'SUCCESS', 'REFUND'])
    // spec/order-lifecycle.md, The table: what leads from one state to another.
    expect(moves).toEqual([
      { from: 'NOTPAY', to: 'CLOSING', events: ['close_asked', 'expired'] },
      { from: 'NOTPAY', to: 'CLOSED', events: ['close_asked', 'expired'] },
      { from: 'NOTPAY', to: 'SUCCESS', events: ['money_arrived'] },
      { from: 'CLOSING', to: 'CLOSED', events: ['all_shut'] },
      { from: 'CLOSING', to: 'SUCCESS', events: ['money_arrived'] },
      { from: 'SUCCESS', to: 'REFUND', events: ['money_returned', 'refund_done'] },
    ])
  }
})

it('the tries of one notification are shown, the newest first, and none of the other', async () => {
  const tries = async (who: Who, ofOrder: number) =>
    (await admin.get(`notifications/MCH-${who}/${orderNo(who, ofOrder)}/1/tries`)).body
  for (const who of ['A', 'B'] as const) {
    expect(await tries(who, 1)).toEqual({
      rows: [
        { at: t('03:31:00'), ms: 12, http_status: 200, reply: `${who} ok`, failure: null },
        { at: t('03:30:42'), ms: 11, http_status: 500, reply: `${who} no`, failure: 'HTTP 500' },
      ],
      next: null,
    })
    expect(await tries(who, 2)).toEqual({
      rows: [{ at: t('03:36:00'), ms: 13, http_status: null, reply: null, failure: 'timeout' }],
      next: null,
    })
  }
})

it('one merchant is shown with its apps, keys and accounts', async () => {
  const seal = (name: string, settings: object): Promise<unknown> => {
    const sealed = sealSettings(masterKeysOf(gateway.masterKey), { mchNo: 'MCH-A', channel: name }, settings)
    const sql = 'update channel_account set settings_sealed = $1 where mch_no = $2 and channel = $3'
    return gateway.database.pool.query(sql, [sealed, 'MCH-A', name])
  }
  await seal('alipay', { appId: '2021', sellerId: '2088', appPrivateKey: 'a secret' })
  await seal('wechat', { appId: 'wx1', platformKeys: [{ keyId: 'k' }], apiV3Key: 'a secret' })
  await gateway.database.pool.query(
    `update channel_account set complaint = 'SIGN_ERROR', complained_at = $1, changed_at = $2 where channel = 'wechat'`,
    [t('02:00:00'), t('01:00:00')],
  )
  const { body } = await admin.get('merchants/MCH-A')
  const { platformPublicKey } = gateway.demo
  const key = (key_id: string, valid_from: string, valid_until: string | null): Row => ({
    key_id,
    valid_from: t(valid_from),
    valid_until: valid_until && t(valid_until),
    bits: 2048,
    fingerprint: createHash('sha256').update(Buffer.from(platformPublicKey, 'base64')).digest('hex'),
  })
  const { channels, platform_keys, ...shown } = body
  const look = { return_url: null, brand_color: null, logo: null, told_of_sent_back: false }
  expect(shown).toEqual({
    mch_no: 'MCH-A',
    name: '商户A',
    enabled: true,
    created_at: '2026-01-01T00:00:00.000Z',
    allowed_ips: ['10.0.0.0/8'],
    rate_per_second: 7,
    apps: [
      { app_no: 'APP1', name: '应用', enabled: true, channels: null, ...look, created_at: '2026-01-01T00:00:00.000Z' },
      { app_no: 'APP2', name: '二', enabled: false, channels: ['wechat'], ...look, created_at: t('00:00:00') },
    ],
    keys: [
      key('begins next', '04:00:00.001', null),
      key('begins', '04:00:00', null),
      key('ended', '00:00:02', '04:00:00'),
      key('ends next', '00:00:01', '04:00:00.001'),
    ],
    editable: ['name', 'enabled', 'rate_per_second', 'allowed_ips', 'apps', 'keys', 'channels'],
  })
  expect(platform_keys).toMatchObject([{ public_key: platformPublicKey, valid_until: null }])
  const shownOf = (name: string): Row => channels.find((one: Row) => one.channel === name)
  const settings = (name: string): unknown[][] =>
    (shownOf(name).settings as Row[]).map((one) => [one.name, one.is_secret, one.is_set, one.value])
  expect(channels).toHaveLength(2)
  expect(shownOf('wechat')).toMatchObject({
    is_configured: true,
    changed_at: t('01:00:00'),
    complaint: 'SIGN_ERROR',
    complained_at: t('02:00:00'),
  })
  expect(settings('wechat')).toEqual([
    ['baseUrl', false, false, null],
    ['appId', false, true, 'wx1'],
    ['mchId', false, false, null],
    ['subMchId', false, false, null],
    ['subAppId', false, false, null],
    ['serialNo', false, false, null],
    ['mchPrivateKey', true, false, null],
    ['apiV3Key', true, true, null],
    ['platformKeys', false, true, '[{"keyId":"k"}]'],
    ['miniAppId', false, false, null],
    ['miniAppSecret', true, false, null],
    ['appSecret', true, false, null],
  ])
  expect(shownOf('alipay')).toMatchObject({
    is_configured: true,
    changed_at: '2026-01-01T00:00:00.000Z',
    complaint: null,
    complained_at: null,
  })
  expect(settings('alipay')).toEqual([
    ['gateway', false, false, null],
    ['appId', false, true, '2021'],
    ['sellerId', false, true, '2088'],
    ['appPrivateKey', true, true, null],
    ['alipayPublicKey', false, false, null],
    ['appCert', false, false, null],
    ['alipayCert', false, false, null],
    ['alipayRootCert', false, false, null],
    ['productCode', false, false, null],
    ['jsapiProductCode', false, false, null],
    ['appAuthToken', true, false, null],
    ['authAppId', false, false, null],
  ])
  const none = (await admin.get('merchants/MCH-C')).body
  expect(none).toMatchObject({ enabled: false, apps: [], keys: [], allowed_ips: [], rate_per_second: null })
  expect(none.channels.map(({ is_configured, changed_at }: Row) => [is_configured, changed_at])).toEqual([
    [false, null],
    [false, null],
  ])
})

/** The figures of hours, so many times 1, 2, 3 … 10. */
const figures = (times: number): Row => ({
  placed: times,
  paid: 2 * times,
  paid_amount: ((3 * times) / 100).toFixed(2),
  closed_by_merchant: 4 * times,
  closed_by_expiry: 5 * times,
  closed_by_operator: 6 * times,
  refunds: 7 * times,
  refunded_amount: ((8 * times) / 100).toFixed(2),
  reversals: 9 * times,
  reversed_amount: ((10 * times) / 100).toFixed(2),
})

it('the overview adds up hours and days of China, and counts what is stuck, of all or of one merchant', async () => {
  const { body } = await admin.get('overview')
  const { hours, days, ...shown } = body
  const health = (name: string, attempts: number, paid: number, in_doubt: number) => ({
    channel: name,
    attempts,
    paid,
    in_doubt,
  })
  expect(shown).toEqual({
    at: t('03:59:30'),
    today: figures(110),
    yesterday: figures(1),
    stuck: { closing: 1, expired: 1, refunds: 1, reversals: 1, jobs: 7, oldest_at: t('03:49:59.997') },
    notifications: { pending: 2, late: 1, dead: 2 },
    channels: [health('alipay', 4, 2, 1), health('wechat', 4, 2, 1)],
    unsettled_differences: 5,
    unmatched_payments: 4,
    clock: null,
    alarms: { open: 0, failing_channels: 0 },
  })
  const hour = (begin: string): Row[] => hours.filter(({ from }: Row) => from === begin)
  expect(hours).toHaveLength(24)
  expect([hours[0].from, hours.at(-1)]).toEqual(['2026-02-28T05:00:00.000Z', { from: t('04:00:00'), ...figures(0) }])
  expect(hour('2026-02-28T15:00:00.000Z')).toEqual([{ from: '2026-02-28T15:00:00.000Z', ...figures(1) }])
  expect(hour('2026-02-28T16:00:00.000Z')).toEqual([{ from: '2026-02-28T16:00:00.000Z', ...figures(10) }])
  expect(hour(t('03:00:00'))).toEqual([{ from: t('03:00:00'), ...figures(100) }])
  expect(days).toHaveLength(30)
  expect(days[0].from).toBe('2026-01-30T16:00:00.000Z')
  expect(days.slice(-2)).toEqual([
    { from: '2026-02-27T16:00:00.000Z', ...figures(1) },
    { from: '2026-02-28T16:00:00.000Z', ...figures(110) },
  ])
  const one = async (who: Who) => (await admin.get(`overview?mch_no=MCH-${who}`)).body
  expect(await one('A')).toMatchObject({
    at: t('03:59:30'),
    today: figures(7),
    yesterday: figures(0),
    unsettled_differences: 4,
    unmatched_payments: 3,
    stuck: { closing: 1, expired: 0, refunds: 1, reversals: 1, jobs: 3, oldest_at: t('03:49:59.997') },
    notifications: { pending: 1, late: 1, dead: 1 },
    channels: [health('alipay', 1, 0, 0), health('wechat', 3, 2, 1)],
  })
  expect(await one('B')).toMatchObject({
    today: figures(0),
    unsettled_differences: 1,
    unmatched_payments: 1,
    stuck: { closing: 0, expired: 1, refunds: 0, reversals: 0, jobs: 4, oldest_at: t('03:49:59.999') },
    notifications: { pending: 1, late: 0, dead: 1 },
    channels: [health('alipay', 3, 2, 1), health('wechat', 1, 0, 0)],
  })
})

it("a day's bill has every payment, refund and reversal of that day, kind by kind and page by page", async () => {
  const { pool } = gateway.database
  const rows = async (kind: BillRow['kind'], who: Who, limit: number): Promise<BillRow[]> => {
    const found: BillRow[] = []
    for (;;) {
      const page = await billRows(
        pool,
        { mchNo: `MCH-${who}`, day: '2026-03-01' },
        { kind, after: found.at(-1) ?? null, limit },
      )
      found.push(...page)
      if (page.length < limit) return found
    }
  }
  // Two payments and two reversals at one moment, and two refunds.
  await pool.query(`update payment set paid_at = $1 where payment_no in ('UP1', 'UP2')`, [t('03:30:40')])
  await pool.query(`update reversal set state = 'SUCCESS', changed_at = $1`, [t('03:33:00')])
  await pool.query(
    `update refund set state = 'SUCCESS', failure = null, success_time = $1 where state <> 'PROCESSING'`,
    [t('03:41:30')],
  )
  for (const who of ['A', 'B'] as const) {
    const line = (count: number, ofOrder: number, attemptNo: string, more: object) => ({
      transactionNo: orderNo(who, ofOrder),
      mchTradeNo: `trade-${ofOrder}`,
      appNo: 'APP1',
      channel: channel(who),
      method: method(who),
      paymentNo: `UP${count}`,
      attemptNo,
      refundNo: null,
      mchRefundNo: null,
      currency: 'CNY',
      isKept: null,
      ...more,
    })
    const paid = (count: number, ofOrder: number, at: string, more: object) => ({
      ...line(count, ofOrder, ofOrder === 1 ? ATTEMPT : THIRD, { ...more, note: `${who} ${ofOrder}` }),
      kind: 'PAYMENT',
      at: new Date(t(at)),
    })
    const payments = [
      paid(1, 1, '03:30:40', { amountFen: of(who, 1250n, 2250n), isKept: true }),
      paid(2, 1, '03:30:40', { amountFen: of(who, 1251n, 2251n), isKept: false }),
      paid(3, 2, '03:31:40', { amountFen: of(who, 100n, 1100n), isKept: false }),
    ]
    const refunded = (count: number, amountFen: bigint) => ({
      ...line(1, 1, ATTEMPT, { refundNo: no('AR', who, 1140 + count), mchRefundNo: `refund-${count}`, amountFen }),
      note: `${who} ${count}`,
      kind: 'REFUND',
      at: new Date(t('03:41:30')),
    })
    const reversed = (count: number, ofOrder: number, attemptNo: string, amountFen: bigint) => ({
      ...line(count, ofOrder, attemptNo, { refundNo: no('AR', who, 1149 + count), amountFen, note: null }),
      kind: 'REVERSAL',
      at: new Date(t('03:33:00')),
    })
    for (const limit of [100, 1]) {
      expect(await rows('PAYMENT', who, limit)).toEqual(payments)
      expect(await rows('REFUND', who, limit)).toEqual([refunded(1, of(who, 50n, 60n)), refunded(2, of(who, 70n, 80n))])
      expect(await rows('REVERSAL', who, limit)).toEqual([
        reversed(2, 1, ATTEMPT, of(who, 1251n, 2251n)),
        reversed(3, 2, THIRD, of(who, 100n, 1100n)),
      ])
    }
  }
})

it("a day is compared with the upstreams' bills of that day, channel by channel", async () => {
  const { pool } = gateway.database
  const { mchNo, day } = { mchNo: 'MCH-A', day: '2026-02-28' }
  // The first and the last moment of the day in China, one before and one after; what is booked later is in a later bill.
  const payment = (paymentNo: string, amount: number, paidAt: string, bookedAt: string) =>
    pool.query(
      `insert into payment (mch_no, attempt_no, payment_no, transaction_no, amount_fen, currency, paid_at, fate, booked_at)
       select mch_no, attempt_no, $1, transaction_no, $2, 'CNY', $3, 'reverse', $4 from attempt where attempt_no = $5`,
      [paymentNo, amount, paidAt, bookedAt, ATTEMPT],
    )
  const soon = '2026-02-28T16:00:00Z'
  await payment('D1', 1, '2026-02-27T15:59:59.999Z', '2026-02-28T02:00:00Z')
  await payment('D2', 20, '2026-02-27T16:00:00Z', '2026-02-27T16:00:00Z')
  await payment('D3', 300, '2026-02-28T15:59:59.999Z', soon)
  await payment('D4', 4000, '2026-02-28T16:00:00Z', soon)
  await payment('D5', 50_000, '2026-02-27T16:00:00Z', '2026-03-01T02:00:00Z')
  await payment('D6', 600_000, '2026-02-28T15:59:59.999Z', '2026-03-01T02:00:00Z')
  await pool.query(`update refund set success_time = $1 where mch_refund_no = 'refund-1'`, ['2026-02-28T05:00:00Z'])
  await pool.query(`update reversal set changed_at = $1 where payment_no = 'UP2'`, ['2026-02-28T06:00:00Z'])
  await pool.query(
    `update reconciliation set paid_lines = 7, paid_fen = 700, refunded_lines = 2, refunded_fen = 20
      where mch_no = $1 and channel = 'wechat' and day = $2`,
    [mchNo, day],
  )
  const nothing = { count: 0, amount: '0.00' }
  const { body } = await admin.get(`bills/${mchNo}/${day}/comparison`)
  expect(body).toEqual({
    mch_no: mchNo,
    bill_day: day,
    lines: 3,
    size_bytes: 33,
    sha256: SHA,
    has_file: true,
    made_at: t('01:03:00'),
    channels: [
      {
        channel: 'alipay',
        ours: { paid: nothing, refunded: nothing, earlier: nothing, later: nothing },
        theirs: { lines: 8, paid: null, refunded: null, differences: 1, unsettled: 0, done_at: t('02:02:00') },
      },
      {
        channel: 'wechat',
        ours: {
          paid: { count: 3, amount: '3.21' },
          refunded: { count: 2, amount: '13.01' },
          earlier: { count: 1, amount: '0.01' },
          later: { count: 2, amount: '6500.00' },
        },
        theirs: {
          lines: 9,
          paid: { count: 7, amount: '7.00' },
          refunded: { count: 2, amount: '0.20' },
          differences: 4,
          unsettled: 3,
          done_at: t('02:01:00'),
        },
      },
    ],
  })
  // An account that came after the day has no part in it, unless its bill was fetched.
  const channels = async (): Promise<string[]> =>
    (await admin.get(`bills/${mchNo}/2026-02-27/comparison`)).body.channels.map(
      (one: { channel: string }) => one.channel,
    )
  const since = (moment: string) =>
    pool.query('update channel_account set created_at = $1 where mch_no = $2', [moment, mchNo])
  await since('2026-02-27T16:00:00.001Z')
  expect(await channels()).toEqual(['wechat'])
  await since('2026-02-27T16:00:00Z')
  expect(await channels()).toEqual(['alipay', 'wechat'])
})

it('the orders of a number are exported, all of them, with headings in the language that is asked for', async () => {
  const file = async (more = ''): Promise<string[]> =>
    (await admin.get(`orders.csv?number=trade-1${more}`)).body.trimEnd().split('\r\n')
  const head =
    '商户号,平台订单号,商户订单号,应用,商品描述,金额（元）,状态,关闭原因,渠道,支付方式,创建时间,过期时间,付款时间'
  const line = (who: Who, amount: string) =>
    `MCH-${who},${orderNo(who, 1)},trade-1,APP1,${who} 1,${amount},REFUND,,${channel(who)},${method(who)},2026-03-01T11:30:00+08:00,2026-03-01T13:30:00+08:00,2026-03-01T11:30:40+08:00`
  const [first, second] = [line('B', '22.50'), line('A', '12.50')]
  expect(await file()).toEqual([head, first, second])
  const [top, ...rest] = await file('&language=en&limit=1')
  expect(top?.split(',').slice(0, 6)).toEqual([
    ...['Merchant', 'Order', "Merchant's order", 'App', 'Description', 'Amount (CNY)'],
  ])
  expect(rest).toEqual([first, second])
})

it('a change of a user leaves what it does not name', async () => {
  const change = async (body: object) => (await admin.send('PUT', 'users/b-locked', body)).body.user
  const row = async () =>
    (
      await gateway.database.pool.query(
        `select role, enabled, password_hash, must_change_password as must, totp_enabled, totp_sealed,
                (select sum(failures)::integer from console_sign_in s where s.username = u.username) as failures
           from console_user u where username = 'b-locked'`,
      )
    ).rows[0]
  const before = await row()
  expect(await change({ enabled: true })).toMatchObject({ enabled: true, totp_enabled: true, role: 'merchant_viewer' })
  expect(await row()).toEqual({ ...before, enabled: true })
  await change({ role: 'merchant_admin' })
  expect(await row()).toEqual({ ...before, enabled: true, role: 'merchant_admin' })
  await change({ reset_totp: true })
  const dropped = { ...before, enabled: true, role: 'merchant_admin', totp_enabled: false, totp_sealed: null }
  expect(await row()).toEqual(dropped)
  await change({ unlock: true })
  expect(await row()).toEqual({ ...dropped, failures: null })
  await gateway.database.pool.query(
    `with found as (update console_user set must_change_password = false where username = 'b-locked' returning username)
     insert into console_sign_in (username, origin, failures, tried_at) select username, 'session', 5, $1 from found`,
    [t('05:00:00')],
  )
  const { password } = (await admin.send('PUT', 'users/b-locked', { reset_password: true })).body
  const reset = await row()
  expect(reset).toEqual({ ...dropped, failures: null, password_hash: reset.password_hash })
  expect(await isPassword(hashing().takePlace(), password, reset.password_hash)).toBe(true)
  // The session of a user who is disabled by whatever means is over.
  await addUser(gateway, 'z-gone', 'operator')
  const gone = await signedIn(gateway, 'z-gone')
  expect((await gone.get('session')).body).toMatchObject({ username: 'z-gone' })
  await gateway.database.pool.query(`update console_user set enabled = false where username = 'z-gone'`)
  expect((await gone.get('session')).body).toBeNull()
})

it('an hour is counted from its first moment to the last before the next, each thing by its own time', async () => {
  const { pool } = gateway.database
  const set = (table: string, values: string, which: string) =>
    pool.query(`update ${table} set ${values} where ${which}`)
  const closed = (who: Who, count: number, reason: string, at: string) =>
    set(
      'orders',
      `state = 'CLOSED', success_time = null, close_reason = '${reason}', closed_at = '${at}'`,
      `transaction_no = '${orderNo(who, count)}'`,
    )
  const [begin, last, end, before] = [t('03:00:00'), t('03:59:59.999'), t('04:00:00'), t('02:59:59.999')]
  await closed('A', 2, 'MERCHANT', begin)
  await closed('A', 3, 'EXPIRED', begin)
  await closed('A', 4, 'EXPIRED', last)
  await closed('B', 2, 'OPERATOR', last)
  await closed('B', 3, 'OPERATOR', begin)
  await closed('B', 4, 'OPERATOR', last)
  await closed('A', 1, 'MERCHANT', end)
  await closed('B', 1, 'EXPIRED', before)
  await set('payment', `booked_at = '${before}'`, 'true')
  await set('payment', `booked_at = '${begin}'`, `mch_no = 'MCH-A' and payment_no in ('UP1', 'UP2')`)
  await set('payment', `booked_at = '${end}'`, `mch_no = 'MCH-B' and payment_no = 'UP1'`)
  await set('refund', `success_time = '${begin}'`, `mch_no = 'MCH-A' and mch_refund_no = 'refund-1'`)
  await set('refund', `success_time = '${last}'`, `mch_no = 'MCH-A' and mch_refund_no = 'refund-2'`)
  await set('refund', `success_time = '${end}'`, `mch_no = 'MCH-B' and mch_refund_no = 'refund-1'`)
  await set('refund', `success_time = '${before}'`, `mch_no = 'MCH-B' and mch_refund_no = 'refund-2'`)
  await set('reversal', `state = 'SUCCESS', changed_at = '${last}'`, `mch_no = 'MCH-B'`)
  await set('reversal', `changed_at = '${begin}'`, `mch_no = 'MCH-A' and payment_no = 'UP2'`)
  await set('reversal', `state = 'PROCESSING', changed_at = '${begin}'`, `mch_no = 'MCH-A' and payment_no = 'UP3'`)
  await pool.query('delete from order_hour')
  const hour = {
    begin: new Date(begin),
    end: new Date(end),
    numbers: { from: 'AP20260301113000000', until: 'AP20260301113200000' },
  }
  const counted = async (now: string) => {
    await countHour(pool, hour, new Date(now))
    return (await pool.query('select * from order_hour order by mch_no')).rows
  }
  const row = (mch_no: string, figures: bigint[], counted_at: string) => {
    const [placed, paid, paid_fen, closed_by_merchant, closed_by_expiry, closed_by_operator, ...rest] = figures
    const [refunds, refunded_fen, reversals, reversed_fen] = rest
    const kept = { placed, paid, paid_fen, closed_by_merchant, closed_by_expiry, closed_by_operator }
    const back = { refunds, refunded_fen, reversals, reversed_fen }
    return { mch_no, hour_at: new Date(begin), ...kept, ...back, counted_at: new Date(counted_at) }
  }
  const rows = (at: string) => [
    row('*', [4n, 1n, 1250n, 1n, 2n, 3n, 2n, 120n, 3n, 1251n + 2251n + 1100n], at),
    row('MCH-A', [2n, 1n, 1250n, 1n, 2n, 0n, 2n, 120n, 1n, 1251n], at),
    row('MCH-B', [2n, 0n, 0n, 0n, 0n, 3n, 0n, 0n, 2n, 2251n + 1100n], at),
  ]
  expect(await counted(t('04:00:01'))).toEqual(rows(t('04:00:01')))
  // Counted again, an hour is what it is by then.
  await pool.query('update order_hour set placed = 99, paid = 99, paid_fen = 99, closed_by_merchant = 99, refunds = 99')
  await pool.query('update order_hour set closed_by_expiry = 99, closed_by_operator = 99, refunded_fen = 99')
  await pool.query('update order_hour set reversals = 99, reversed_fen = 99')
  expect(await counted(t('04:00:02'))).toEqual(rows(t('04:00:02')))
  expect(await countedHours(pool, new Date(begin))).toEqual([
    { hourAt: new Date(begin), countedAt: new Date(t('04:00:02')) },
  ])
  expect(await countedHours(pool, new Date(t('03:00:00.001')))).toEqual([])
})
