/**
 * Two merchants, MCH-A and MCH-B, with one of everything that the console lists, written by hand. What may be the same for both
 * is: the numbers of attempts, of the upstreams' payments and of the merchants' own. Something of each kind lies just inside
 * and just outside of each bound. Rows need not be such as a gateway writes.
 */
import type { TestWorld } from './world.ts'

export const START = new Date('2026-03-01T04:00:00.000Z')
export const t = (time: string): string => `2026-03-01T${time}${time.length === 8 ? '.000' : ''}Z`

export type Who = 'A' | 'B'
const BOTH = ['A', 'B'] as const
/** The platform's numbers of both merchants differ in the last digit. */
export const no = (kind: 'AP' | 'AR', who: Who, hhmm: number): string =>
  `${kind}20260301${hhmm}00000${'0'.repeat(18)}${who === 'A' ? 0 : 1}`
export const at = (count: number): string => `AT20260301113000000000000000000${count}`
/** Opened before 11:00 in China, more than an hour ago. */
const OLD = 'AT20260301105959999000000000000'

type Row = Record<string, unknown>
const of = <Value>(who: Who, a: Value, b: Value): Value => (who === 'A' ? a : b)
const first = (who: Who) => of(who, { channel: 'wechat', method: 'native' }, { channel: 'alipay', method: 'page' })
const second = (who: Who) => first(of(who, 'B', 'A'))

const order = (who: Who, count: number, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  transaction_no: no('AP', who, 1129 + count),
  app_no: 'APP1',
  mch_trade_no: `trade-${count}`,
  description: `${who} ${count}`,
  currency: 'CNY',
  head_seq: 1,
  head_hash: Buffer.from('00', 'hex'),
  created_at: t(`03:${29 + count}:00`),
  changed_at: t(`03:${29 + count}:30`),
  time_expire: t(`05:${29 + count}:00`),
  ...more,
})

const orders = (who: Who): Row[] => [
  order(who, 1, {
    amount_fen: of(who, 1250, 2250),
    state: 'REFUND',
    success_time: t('03:30:40'),
    payer: 'payer-1',
    attempts: 2,
    pay_channel: first(who).channel,
    pay_method: first(who).method,
    extra: '{"a":1}',
    head_seq: 2,
    notify_url: 'https://shop.example/1',
  }),
  order(who, 2, {
    amount_fen: of(who, 100, 1100),
    state: 'CLOSED',
    close_reason: 'MERCHANT',
    closed_at: t('03:32:00'),
  }),
  order(who, 3, {
    amount_fen: of(who, 200, 1200),
    state: 'CLOSING',
    close_reason: 'EXPIRED',
    time_expire: t('03:40:00'),
    changed_at: of(who, t('03:49:59.999'), t('03:50:00')),
  }),
  order(who, 4, {
    amount_fen: of(who, 300, 1300),
    state: 'NOTPAY',
    pay_channel: of(who, null, 'wechat'),
    time_expire: of(who, t('03:50:00'), t('03:49:59.999')),
  }),
]

const attempt = (who: Who, attempt_no: string, ofOrder: number, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  attempt_no,
  transaction_no: no('AP', who, 1129 + ofOrder),
  amount_fen: 1,
  upstream_expire: t('05:00:00'),
  create_lands_until: t('03:59:00'),
  ...more,
})

const attempts = (who: Who): Row[] => [
  attempt(who, at(1), 1, { ...first(who), state: 'PAID', created_at: t('03:30:01'), changed_at: t('03:30:41') }),
  attempt(who, at(2), 1, {
    ...second(who),
    state: 'SHUT',
    created_at: t('03:30:02'),
    changed_at: t('03:30:42'),
    last_answer: 'query: open',
    last_answer_at: t('03:30:43'),
  }),
  attempt(who, at(3), 2, { ...first(who), state: 'PAID', created_at: t('03:31:01'), changed_at: t('03:31:41') }),
  attempt(who, at(4), 3, { ...first(who), state: 'OPENING', created_at: t('03:32:01'), changed_at: t('03:32:01') }),
  attempt(who, OLD, 2, { ...first(who), state: 'PAID', created_at: t('02:59:59'), changed_at: t('02:59:59') }),
]

const payment = (who: Who, attemptNo: string, count: number, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  attempt_no: attemptNo,
  payment_no: `UP${count}`,
  currency: 'CNY',
  ...more,
})

const payments = (who: Who): Row[] => [
  payment(who, at(1), 1, {
    transaction_no: no('AP', who, 1130),
    amount_fen: of(who, 1250, 2250),
    fate: 'keep',
    paid_at: t('03:30:40'),
    booked_at: t('03:30:41'),
  }),
  payment(who, at(1), 2, {
    transaction_no: no('AP', who, 1130),
    amount_fen: of(who, 1251, 2251),
    fate: 'reverse',
    paid_at: t('03:30:39'),
    booked_at: t('03:30:51'),
  }),
  payment(who, at(3), 3, {
    transaction_no: no('AP', who, 1131),
    amount_fen: of(who, 100, 1100),
    fate: 'reverse',
    paid_at: t('03:31:40'),
    booked_at: t('03:32:30'),
  }),
]

const refund = (who: Who, count: number, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  refund_no: no('AR', who, 1140 + count),
  mch_refund_no: `refund-${count}`,
  transaction_no: no('AP', who, 1130),
  attempt_no: at(1),
  payment_no: 'UP1',
  reason: `${who} ${count}`,
  lands_until: t('03:58:00'),
  created_at: t(`03:4${count}:00`),
  changed_at: t('03:59:00'),
  ...more,
})

const refunds = (who: Who): Row[] => [
  refund(who, 1, { amount_fen: of(who, 50, 60), state: 'SUCCESS', success_time: t('03:41:30') }),
  refund(who, 2, { amount_fen: of(who, 70, 80), state: 'FAIL', failure: 'NOT_ENOUGH' }),
  refund(who, 3, {
    amount_fen: of(who, 90, 95),
    state: 'PROCESSING',
    created_at: of(who, t('03:49:59.998'), t('03:50:00')),
    last_answer: 'refund: unknown',
    last_answer_at: t('03:44:00'),
  }),
]

const reversal = (who: Who, count: number, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  refund_no: no('AR', who, 1150 + count),
  ...more,
})

const reversals = (who: Who): Row[] => [
  reversal(who, 1, {
    transaction_no: no('AP', who, 1130),
    attempt_no: at(1),
    payment_no: 'UP2',
    amount_fen: of(who, 1251, 2251),
    state: 'SUCCESS',
    created_at: t('03:31:00'),
    changed_at: t('03:33:00'),
  }),
  reversal(who, 2, {
    transaction_no: no('AP', who, 1131),
    attempt_no: at(3),
    payment_no: 'UP3',
    amount_fen: of(who, 100, 1100),
    state: 'PROCESSING',
    created_at: of(who, t('03:49:59.997'), t('03:50:00')),
    changed_at: t('03:52:00'),
    last_answer: 'refund: refused',
    last_answer_at: t('03:53:00'),
  }),
]

const entry = (who: Who, ofOrder: number, seq: number, text: string): Row => ({
  mch_no: `MCH-${who}`,
  transaction_no: no('AP', who, 1129 + ofOrder),
  seq,
  at: t(`03:3${ofOrder}:0${seq}`),
  entry: text,
  hash: Buffer.from(`a${seq}`, 'hex'),
})

const timeline = (who: Who): Row[] => [
  entry(who, 1, 1, '{"at":"then","event":"placed","to":"NOTPAY"}'),
  entry(who, 1, 2, '{"at":"then","event":"money_arrived","from":"NOTPAY","to":"SUCCESS","amount":"12.50"}'),
  entry(who, 2, 1, '{"at":"then","event":"placed","to":"NOTPAY"}'),
]

const notification = (who: Who, ofOrder: number, seq: number, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  transaction_no: no('AP', who, 1129 + ofOrder),
  seq,
  host: 'shop.example',
  news: '{}',
  url: `https://shop.example/${ofOrder}/${seq}`,
  ...more,
})

const notifications = (who: Who): Row[] => [
  notification(who, 1, 1, {
    kind: 'payment',
    state: 'DELIVERED',
    due_at: t('03:31:00'),
    taken: 2,
    tries: 0,
    round_at: t('03:30:41'),
    created_at: t('03:30:41'),
  }),
  notification(who, 1, 2, {
    kind: 'refund',
    state: 'PENDING',
    due_at: t('04:05:00'),
    taken: 1,
    tries: 1,
    round_at: of(who, t('03:49:59.999'), t('03:50:00')),
    created_at: t('03:41:31'),
  }),
  notification(who, 2, 1, {
    kind: 'payment',
    state: 'DEAD',
    due_at: t('03:36:00'),
    taken: 3,
    tries: 4,
    round_at: t('03:30:00'),
    created_at: t('03:41:31'),
  }),
]

const oneTry = (who: Who, ofOrder: number, taken: number, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  transaction_no: no('AP', who, 1129 + ofOrder),
  seq: 1,
  taken,
  ...more,
})

const tries = (who: Who): Row[] => [
  oneTry(who, 1, 0, { at: t('03:30:42'), ms: 11, http_status: 500, reply: `${who} no`, failure: 'HTTP 500' }),
  oneTry(who, 1, 1, { at: t('03:31:00'), ms: 12, http_status: 200, reply: `${who} ok` }),
  oneTry(who, 2, 2, { at: t('03:36:00'), ms: 13, failure: 'timeout' }),
]

const job = (who: Who, kind: string, subject: string, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  kind,
  subject,
  ...more,
})

const jobs = (who: Who): Row[] => [
  job(who, 'send_refund', no('AR', who, 1143), { due_at: t('04:30:00'), tries: 3, created_at: t('03:43:00') }),
  job(who, 'watch_attempt', at(2), {
    due_at: of(who, t('04:10:00'), t('03:40:00')),
    tries: 9,
    created_at: t('03:31:00'),
  }),
  job(who, 'shut_attempts', no('AP', who, 1132), { due_at: t('03:49:59.999'), tries: 1, created_at: t('03:32:00') }),
  job(who, 'reverse_payment', no('AR', who, 1152), {
    due_at: of(who, t('03:50:00'), t('03:49:59.999')),
    tries: 2,
    created_at: t('03:31:30'),
  }),
  job(who, 'resolve_attempt', at(4), { due_at: t('04:01:00'), tries: 3, created_at: t('03:50:00') }),
]

const DAY = '2026-02-28'
const SHA = 'ab'.repeat(32)
const bill = (who: Who, bill_day: string, lines: number, more: Row): Row => ({
  mch_no: `MCH-${who}`,
  bill_day,
  lines,
  size_bytes: lines * 11,
  made_at: t(`01:0${lines}:00`),
  ...more,
})

const difference = (who: Who, place: string, rest: [string, string, string, string], more: Row): Row => {
  const [channel, day] = place.split(' ')
  const [kind, attempt_no, payment_no, refund_no] = rest
  const key = { mch_no: `MCH-${who}`, channel, day, kind, attempt_no, payment_no, refund_no }
  return { ...key, settled: false, found_at: t('02:00:00'), ...more }
}

const stray = (who: Who, channel: string, [attempt_no, payment_no]: [string, string], more: Row): Row => ({
  mch_no: `MCH-${who}`,
  channel,
  attempt_no,
  payment_no,
  currency: 'CNY',
  paid_at: t('03:00:00'),
  heard_at: t('03:10:00'),
  ...more,
})

const hour = (mch_no: string, hour_at: string, times: number, counted_at: string): Row => ({
  mch_no,
  hour_at,
  placed: times,
  paid: 2 * times,
  paid_fen: 3 * times,
  closed_by_merchant: 4 * times,
  closed_by_expiry: 5 * times,
  closed_by_operator: 6 * times,
  refunds: 7 * times,
  refunded_fen: 8 * times,
  reversals: 9 * times,
  reversed_fen: 10 * times,
  counted_at,
})

const audit = (count: number, more: Row): Row => ({
  audit_no: `AL2026022812000000${count}${'0'.repeat(19)}`,
  at: `2026-02-28T04:00:0${count}.000Z`,
  username: 'somebody',
  address: `10.0.0.${count}`,
  action: 'orders.close',
  outcome: 'DONE',
  detail: '{}',
  ...more,
})

/** What is not the same for both. */
const OTHER_ROWS: [table: string, rows: Row[]][] = [
  ['job', [job('A', 'make_bill', DAY, { due_at: t('03:00:00'), tries: 0, created_at: t('03:32:00') })]],
  [
    'bill',
    [
      bill('A', DAY, 3, { file_no: 'f1', sha256: SHA }),
      bill('A', '2026-02-27', 0, {}),
      bill('B', DAY, 4, { file_no: 'f2', sha256: SHA }),
      bill('B', '2026-02-27', 5, { file_no: 'f3', sha256: SHA }),
    ],
  ],
  [
    'bill_part',
    // A's file has its first piece. Of B's there are another's, another day's, another file's, and the second.
    [
      ['MCH-A', DAY, 'f1', 1],
      ['MCH-A', DAY, 'f2', 1],
      ['MCH-B', '2026-02-27', 'f2', 1],
      ['MCH-B', DAY, 'f9', 1],
      ['MCH-B', DAY, 'f2', 2],
    ].map(([mch_no, bill_day, file_no, seq]) => ({ mch_no, bill_day, file_no, seq, bytes: Buffer.from('x') })),
  ],
  [
    'reconciliation',
    [
      { mch_no: 'MCH-A', channel: 'wechat', day: DAY, lines: 9, differences: 4, done_at: t('02:01:00') },
      { mch_no: 'MCH-A', channel: 'alipay', day: DAY, lines: 8, differences: 1, done_at: t('02:02:00') },
      { mch_no: 'MCH-B', channel: 'wechat', day: DAY, lines: 7, differences: 2, done_at: t('02:03:00') },
      { mch_no: 'MCH-A', channel: 'wechat', day: '2026-02-27', lines: 6, differences: 3, done_at: t('02:04:00') },
    ],
  ],
  [
    'reconciliation_difference',
    [
      difference('A', `wechat ${DAY}`, ['PAYMENT_AMOUNT', at(1), 'UP1', ''], { ours_fen: 100, theirs_fen: 101 }),
      difference('A', `wechat ${DAY}`, ['PAYMENT_AMOUNT', at(1), 'UP2', ''], { ours_fen: 5 }),
      difference('A', `wechat ${DAY}`, ['REFUND_UNKNOWN', 'AT0', 'UP1', 'R1'], { theirs_fen: 7 }),
      difference('A', `wechat ${DAY}`, ['REFUND_UNKNOWN', 'AT0', 'UP1', 'R2'], {
        theirs_fen: 8,
        settled: true,
        note: 'sent by hand',
        settled_by: 'fin',
        settled_at: t('02:30:00'),
      }),
      difference('B', `wechat ${DAY}`, ['PAYMENT_MISSING', at(1), 'UP1', ''], { ours_fen: 1 }),
      difference('A', 'wechat 2026-02-27', ['PAYMENT_MISSING', at(1), 'UP1', ''], { ours_fen: 2 }),
      difference('A', `alipay ${DAY}`, ['PAYMENT_MISSING', at(2), 'UP9', ''], { ours_fen: 3, settled: true }),
    ],
  ],
  [
    'stray_payment',
    [
      stray('A', 'wechat', ['AT0', 'S1'], { amount_fen: 500 }),
      stray('A', 'wechat', ['AT0', 'S2'], { amount_fen: 600 }),
      stray('A', 'alipay', ['AT0', 'S1'], { amount_fen: 700 }),
      stray('B', 'wechat', ['AT0', 'S1'], { amount_fen: 800 }),
      stray('A', 'wechat', ['AT9', 'S1'], {
        amount_fen: 900,
        heard_at: t('03:20:00'),
        settled_at: t('03:30:00'),
        settled_by: 'fin',
        note: 'paid back',
      }),
    ],
  ],
  [
    'order_hour',
    [
      hour('*', '2026-02-28T15:00:00Z', 1, t('00:00:01')),
      hour('*', '2026-02-28T16:00:00Z', 10, t('00:00:02')),
      hour('*', t('03:00:00'), 100, t('03:59:30')),
      hour('MCH-A', t('03:00:00'), 7, t('03:59:31')),
    ],
  ],
  [
    'console_user',
    [
      {
        username: 'b-locked',
        role: 'merchant_viewer',
        mch_no: 'MCH-A',
        enabled: false,
        password_hash: 'x',
        must_change_password: true,
        totp_sealed: Buffer.from('x'),
        totp_enabled: true,
        last_signed_in_at: t('02:00:00'),
        created_at: t('01:00:00'),
      },
      {
        username: 'c-open',
        role: 'merchant_admin',
        mch_no: 'MCH-B',
        password_hash: 'x',
        created_at: t('01:01:00'),
        must_change_password: false,
      },
    ],
  ],
  [
    'console_passkey',
    ['a laptop', 'a phone'].map((name) => ({
      ...{ credential_id: Buffer.from(name), username: 'b-locked', public_key: Buffer.from('x'), counter: 0 },
      ...{ transports: ['usb'], name, created_at: t('02:00:00') },
    })),
  ],
  [
    'console_sign_in',
    [
      {
        username: 'b-locked',
        origin: '203.0.113.7',
        failures: 4,
        locked_until: t('03:00:00'),
        tried_at: t('02:59:00'),
      },
      {
        username: 'b-locked',
        origin: 'session',
        failures: 5,
        locked_until: t('04:00:00.001'),
        tried_at: t('03:59:00'),
      },
      { username: 'c-open', origin: '203.0.113.7', failures: 5, locked_until: t('04:00:00'), tried_at: t('03:59:00') },
    ],
  ],
  [
    'console_audit',
    [
      audit(1, { mch_no: 'MCH-A', subject: 'one', detail: '{"seq":1}' }),
      audit(2, { action: 'users.add', outcome: 'BEGUN' }),
      audit(3, { username: 'another', mch_no: 'MCH-B', subject: 'three' }),
    ],
  ],
]

async function insert({ pool }: TestWorld['database'], table: string, row: Row): Promise<void> {
  const names = Object.keys(row)
  const places = names.map((_, index) => `$${index + 1}`)
  await pool.query(`insert into ${table} (${names.join(', ')}) values (${places.join(', ')})`, Object.values(row))
}

/** Writes all of it. `publicKey`: Base64 of a merchant's public key. */
export async function writeConsoleRows({ database }: TestWorld, publicKey: string): Promise<void> {
  const put = (table: string, row: Row) => insert(database, table, row)
  // Those of the sandbox's first start.
  await database.pool.query('delete from console_user')
  for (const who of BOTH) {
    const mch_no = `MCH-${who}`
    const created_at = '2026-01-01T00:00:00Z'
    await put('merchant', { mch_no, name: `商户${who}`, created_at, allowed_ips: ['10.0.0.0/8'], rate_per_second: 7 })
    await put('app', { mch_no, app_no: 'APP1', name: '应用', created_at })
    for (const channel of ['wechat', 'alipay']) {
      await put('channel_account', {
        mch_no,
        channel,
        settings_sealed: Buffer.from('x'),
        created_at,
        changed_at: created_at,
      })
    }
    const rows = {
      orders: orders(who),
      attempt: attempts(who),
      payment: payments(who),
      refund: refunds(who),
      reversal: reversals(who),
      timeline: timeline(who),
      notification: notifications(who),
      notification_try: tries(who),
      job: jobs(who),
    }
    // Not in the order in which they are listed.
    for (const [table, some] of Object.entries(rows)) for (const row of some.toReversed()) await put(table, row)
  }
  await put('app', {
    mch_no: 'MCH-A',
    app_no: 'APP2',
    name: '二',
    enabled: false,
    created_at: t('00:00:00'),
    channels: ['wechat'],
  })
  await put('merchant', { mch_no: 'MCH-C', name: '停用', enabled: false, created_at: t('00:00:00') })
  // Valid for one more millisecond; ended at this moment; not begun for one more; valid from this moment on.
  for (const [key_id, valid_from, valid_until] of [
    ['ends next', t('00:00:01'), t('04:00:00.001')],
    ['ended', t('00:00:02'), t('04:00:00')],
    ['begins next', t('04:00:00.001'), null],
    ['begins', t('04:00:00'), null],
  ]) {
    await put('merchant_key', { mch_no: 'MCH-A', key_id, public_key: publicKey, valid_from, valid_until })
  }
  for (const [table, rows] of OTHER_ROWS) for (const row of rows.toReversed()) await put(table, row)
}
