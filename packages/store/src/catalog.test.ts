/** Rules for every table, checked in PostgreSQL's catalog, so that a migration that breaks one fails here. */
import {
  AMOUNT_FEN_MAX,
  AMOUNT_FEN_MIN,
  ATTEMPT_STATES,
  CLOSE_REASONS,
  JOB_KINDS,
  NOTIFICATION_STATES,
  ORDER_STATES,
} from '@acopay/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const read = async <Row>(sql: string): Promise<Row[]> => (await database.pool.query(sql)).rows as Row[]

/** Tables of the installation, whose rows belong to no merchant. */
const OF_THE_INSTALLATION = new Set([
  'schema_migration',
  'platform_key',
  'sandbox_book',
  'console_user',
  'console_session',
  'console_recovery_code',
  'console_passkey',
  'console_challenge',
  'console_sign_in',
  'console_invitation',
  'console_provider_link',
  'console_provider_trip',
  'console_audit',
  'console_audit_outcome',
  'console_audit_head',
  'console_audit_mark',
  'bulk_request',
  'purpose_key',
  'stamping',
  'readiness',
  'day_heads',
  'day_heads_lease',
  'restoration',
  'alarm',
  'alarm_news',
  'alarm_channel',
  'alarm_watch',
  'archive',
  'shared_count',
])

/** Indexes that do not begin with mch_no, because their readers look at the rows of all merchants. */
const OVER_ALL_MERCHANTS: Record<string, string> = {
  orders_open_by_expiry: 'the worker looks for orders past their expiry',
  job_by_due: 'workers look for due jobs',
  nonce_by_use: 'the worker looks for old nonces',
  notification_by_host: 'the notifier looks for due notifications, host by host',
  orders_by_number: 'the console lists the orders of all merchants by time',
  orders_by_close: 'the hours of the overview are counted over all merchants',
  payment_by_booking: 'the same',
  refund_by_end: 'the same',
  reversal_by_end: 'the same',
  timeline_by_time: 'the heads of a day are made over all merchants',
  orders_closing: 'the overview counts stuck orders, refunds and reversals',
  refund_under_way: 'the same',
  reversal_under_way: 'the same',
  difference_unsettled: 'the overview counts unsettled differences',
  difference_by_day: 'the console lists differences of all merchants by day',
  stray_by_time: 'the console lists unmatched payments of all merchants by time',
  job_in_trouble: 'the overview counts jobs whose tries failed',
  attempt_by_number: 'the overview counts the attempts of the last hour',
  refund_by_number: 'the console lists refunds of all merchants by time',
  reversal_by_number: 'the console lists reversals of all merchants by time',
  notification_unheard: 'the console lists unacknowledged notifications of all merchants',
  bill_by_day: 'the console lists bills of all merchants by day',
  reconciliation_by_day: 'the console lists reconciliations of all merchants by day',
  payment_by_end: 'the console finds a payment by the last digits on the payer’s receipt',
  payment_by_number: 'the console finds a payment by the number its upstream gave it',
  call_log_by_time: 'the gateway looks for old calls of all merchants',
  figure_by_time: 'a day of the figures is added up from its hours',
  figure_of_days: 'the page of figures compares merchants',
  notification_by_round: 'the notifier looks for notifications that have waited for too long',
}

describe('every table', () => {
  it('has a primary key, and those of a merchant have mch_no in it first', async () => {
    const tables = await read<{ name: string; first: string | null }>(
      `select c.relname as name, a.attname as first from pg_class c
         left join pg_index i on i.indrelid = c.oid and i.indisprimary
         left join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`,
    )
    expect(tables.length).toBeGreaterThan(10)
    for (const { name, first } of tables) {
      if (OF_THE_INSTALLATION.has(name)) expect(first, name).not.toBeNull()
      else expect(first, name).toBe('mch_no')
    }
  })

  it('has only indexes that begin with mch_no, except the listed ones, which are there and not unique', async () => {
    const indexes = await read<{ name: string; table: string; first: string; unique: boolean }>(
      `select x.relname as name, t.relname as table, i.indisunique as unique,
              pg_get_indexdef(i.indexrelid, 1, true) as first
         from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
        where t.relnamespace = 'public'::regnamespace`,
    )
    const others = indexes.filter(({ table, first }) => !OF_THE_INSTALLATION.has(table) && first !== 'mch_no')
    expect(others.map(({ name }) => name).sort()).toEqual(Object.keys(OVER_ALL_MERCHANTS).sort())
    expect(others.filter(({ unique }) => unique)).toEqual([])
  })

  it('refers to others with mch_no first on both sides', async () => {
    const keys = await read<{ name: string; from: string; to: string }>(
      `select c.conname as name, f.attname as from, t.attname as to from pg_constraint c
         join pg_attribute f on f.attrelid = c.conrelid and f.attnum = c.conkey[1]
         join pg_attribute t on t.attrelid = c.confrelid and t.attnum = c.confkey[1]
        where c.contype = 'f'`,
    )
    expect(keys.length).toBeGreaterThan(5)
    const tables = ['session', 'recovery_code', 'sign_in', 'passkey', 'challenge', 'provider_link']
    const ofTheConsole = tables.map((table) => `console_${table}_username_fkey`)
    const ofMerchants = keys.filter(({ name }) => !ofTheConsole.includes(name))
    for (const { name, from, to } of ofMerchants) expect([from, to], name).toEqual(['mch_no', 'mch_no'])
  })

  it('that is looked up by its order has an index that begins with the order', async () => {
    const served = await read<{ name: string }>(
      `select distinct i.indrelid::regclass::text as name from pg_index i
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[1]
        where i.indkey[0] = (select attnum from pg_attribute where attrelid = i.indrelid and attname = 'mch_no')
          and a.attname = 'transaction_no' and i.indpred is null order by 1`,
    )
    expect(served.map(({ name }) => name)).toEqual([
      'archived_order',
      'archived_reversal',
      'attempt',
      'notification',
      'notification_try',
      'order_note',
      'order_tag',
      'orders',
      'payment',
      'refund',
      'restoration_close',
      'reversal',
      'timeline',
    ])
  })
})

describe('every column', () => {
  const columns = () =>
    read<{ name: string; column: string; type: string; nullable: boolean }>(
      `select c.relname as name, a.attname as column, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable
         from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped`,
    )

  it('of money is bigint fen that cannot be null', async () => {
    const money = (await columns()).filter(({ column }) => /amount|fen|fee|price|total/.test(column))
    expect(money.length).toBeGreaterThanOrEqual(5)
    // A difference has null on the side, upstream bill or books, that lacks the payment or refund.
    const oneSided = ['reconciliation_difference.ours_fen', 'reconciliation_difference.theirs_fen']
    // Null where an older version of the gateway read the upstream bill and did not add it up.
    oneSided.push('reconciliation.paid_fen', 'reconciliation.refunded_fen')
    for (const { name, column, type, nullable } of money) {
      const place = `${name}.${column}`
      expect([type, nullable, column.endsWith('_fen')], place).toEqual(['bigint', oneSided.includes(place), true])
    }
  })

  it('of time is timestamptz, and what is named like a time is one', async () => {
    for (const { name, column, type } of await columns()) {
      const isNamedSo = /_at$|^at$|_time$|^time_|_expire$|_until$|_from$/.test(column)
      expect(type === 'timestamp with time zone', `${name}.${column} ${type}`).toBe(isNamedSo)
    }
  })

  it('has a type that loses nothing: no float, no numeric, no jsonb, no padded text', async () => {
    const types = new Set((await columns()).map(({ type }) => type))
    const known = ['bigint', 'boolean', 'bytea', 'date', 'integer', 'text', 'text[]', 'timestamp with time zone']
    expect([...types].sort()).toEqual(known)
  })

  it('has no default that reads a clock or a sequence: both come from the gateway', async () => {
    const defaults = await read<{ name: string; says: string }>(
      `select adrelid::regclass || '.' || attname as name, pg_get_expr(adbin, adrelid) as says
         from pg_attrdef join pg_attribute on attrelid = adrelid and attnum = adnum
        where adrelid::regclass <> 'schema_migration'::regclass and attgenerated = ''`,
    )
    for (const { name, says } of defaults) expect(says, name).toMatch(/^(true|false|0|'\{\}'::text\[\])$/)
  })
})

describe('the words of a state', () => {
  it.each([
    ['orders', 'state', ORDER_STATES],
    ['orders', 'close_reason', CLOSE_REASONS],
    ['attempt', 'state', ATTEMPT_STATES],
    ['job', 'kind', JOB_KINDS],
    ['notification', 'state', NOTIFICATION_STATES],
    ['payment', 'fate', ['keep', 'reverse']],
    ['reversal', 'state', ['PROCESSING', 'SUCCESS']],
    ['archived_reversal', 'state', ['PROCESSING', 'SUCCESS']],
    ['orders', 'currency', ['CNY']],
  ] as [string, string, readonly string[]][])('of %s.%s are those of the program', async (table, column, words) => {
    const checks = await read<{ says: string }>(
      `select pg_get_constraintdef(c.oid) as says from pg_constraint c
         join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.contype = 'c' and c.conrelid = '${table}'::regclass and cardinality(c.conkey) = 1 and a.attname = '${column}'`,
    )
    expect(checks).toHaveLength(1)
    const listed = [...(checks[0]?.says ?? '').matchAll(/'([^']+)'::text/g)].map(([, word]) => word)
    expect(listed.sort()).toEqual([...words].sort())
  })

  it('the amounts of an order and an attempt are checked against the same limits as in the program', async () => {
    const checks = await read<{ says: string }>(
      `select pg_get_constraintdef(oid) as says from pg_constraint
        where contype = 'c' and conrelid in ('orders'::regclass, 'attempt'::regclass) and pg_get_constraintdef(oid) like '%amount_fen%'`,
    )
    expect(checks).toHaveLength(2)
    for (const { says } of checks) {
      expect(says).toContain(`>= ${AMOUNT_FEN_MIN})`)
      expect(says).toContain(`<= ${AMOUNT_FEN_MAX})`)
    }
  })
})

/** Each is written down in a decision: 2, 40 and 48. */
const FUNCTIONS = [
  'due_notifications',
  'due_times',
  'end_notification_tries',
  'expire_untouched',
  'forget_calls',
  'forget_nonces',
  'give_up_notifications',
  'lease_jobs',
  'move_order',
  'move_untouched',
  'place_orders',
  'shut_attempts',
  'take_notifications',
]

it('nothing depends on triggers, sequences or rules, and no function is in the database that the decisions do not name', async () => {
  const found = await read<{ name: string }>(
    `select tgname as name from pg_trigger where not tgisinternal
     union all select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('S', 'v', 'm')
     union all select proname from pg_proc where pronamespace = 'public'::regnamespace order by name`,
  )
  expect(found.map(({ name }) => name)).toEqual(FUNCTIONS)
})
