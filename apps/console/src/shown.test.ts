import { readFileSync } from 'node:fs'
import type { Permission } from '@acopay/protocol/console'
import { describe, expect, it } from 'vitest'
import { ApiError, isAnswered, mayRepeat, messageOf } from './api-error.ts'
import { answerIn, when, whenExactly, yuan } from './format.ts'
import { labelKeyOf } from './labels.ts'
import { pagesFor } from './menu.ts'
import { EN } from './texts.en.ts'
import { ZH } from './texts.zh.ts'
import { toneOf } from './tones.ts'

describe('a time', () => {
  it('is shown in UTC+8, wherever the user is, over the ends of days and years', () => {
    const rows = ['2026-03-01T04:00:00Z', '2026-02-28T15:59:59Z', '2026-02-28T16:00:00Z', '2025-12-31T16:00:00.999Z']
    expect(rows.map(when)).toEqual([
      '2026-03-01 12:00:00',
      '2026-02-28 23:59:59',
      '2026-03-01 00:00:00',
      '2026-01-01 00:00:00',
    ])
    expect(when(null)).toBe('—')
  })

  it('has its milliseconds where the order of events matters', () => {
    expect(whenExactly('2026-03-01T04:00:00.007Z')).toBe('2026-03-01 12:00:00.007')
  })
})

describe('an amount', () => {
  it.each([
    ['0.01', '¥0.01'],
    ['0.00', '¥0.00'],
    ['12.50', '¥12.50'],
    ['999.99', '¥999.99'],
    ['1000.00', '¥1,000.00'],
    ['12345.60', '¥12,345.60'],
    ['999999.99', '¥999,999.99'],
    ['1234567.00', '¥1,234,567.00'],
    ['9007199254740993.01', '¥9,007,199,254,740,993.01'],
    ['-0.50', '−¥0.50'],
    ['-1234.50', '−¥1,234.50'],
  ])('%s is shown as %s', (amount, shown) => {
    expect(yuan(amount)).toBe(shown)
  })
})

/** By hand: which pages the menu shows for each permission. */
const MENU: [permission: Permission | 'none', pages: string][] = [
  ['none', 'account'],
  ['orders.read', 'overview statistics orders refunds reversals sent-back account'],
  ['notifications.read', 'notifications account'],
  ['bills.read', 'bills account'],
  ['reconciliation.read', 'reconciliations account'],
  ['merchants.read', 'merchants explorer account'],
  ['users.read', 'users account'],
  ['audit.read', 'audit account'],
  ['alarms.read', 'alarms account'],
  ['sandbox.use', 'sandbox account'],
  ['orders.close', 'account'],
  ['refunds.create', 'account'],
  ['notifications.resend', 'bulk account'],
  ['reconciliation.settle', 'account'],
  ['merchants.write', 'account'],
  ['channels.write', 'account'],
  ['users.write', 'account'],
  ['alarms.write', 'account'],
  ['orders.note', 'account'],
]

describe('the menu', () => {
  it('shows the pages that a permission opens, and no others', () => {
    const shown = MENU.map(([permission]) => {
      const pages = pagesFor(permission === 'none' ? [] : [permission])
      expect(pages.every(({ to, text }) => to === `/${text}`)).toBe(true)
      return [permission, pages.map(({ text }) => text).join(' ')]
    })
    expect(shown).toEqual(MENU)
  })

  it('keeps its order for a user with many', () => {
    const all: Permission[] = ['sandbox.use', 'orders.read', 'users.read', 'merchants.read']
    expect(pagesFor(all).map(({ to }) => to)).toEqual([
      '/overview',
      '/statistics',
      '/orders',
      '/refunds',
      '/reversals',
      '/sent-back',
      '/merchants',
      '/users',
      '/sandbox',
      '/explorer',
      '/account',
    ])
  })
})

it('a state has the tone that it has for the merchant’s money', () => {
  const tones = {
    good: 'SUCCESS DELIVERED DONE PAID keep paid done_SUCCESS in_use settled_true alarm_over',
    busy: 'NOTPAY CLOSING PROCESSING PENDING OPENING OPEN BEGUN done_PROCESSING severity_ticket',
    bad: 'done_STUCK done_FAIL settled_false FAIL DEAD reverse stuck alarm_open severity_page failing',
    calm: 'CLOSED REFUND SHUT expired FORBIDDEN constructor',
  }
  for (const [tone, states] of Object.entries(tones)) {
    expect(states.split(' ').filter((state) => toneOf(state) !== tone)).toEqual([])
  }
})

const labelIn = (texts: Record<string, string>) => (field: string) => texts[labelKeyOf(field)] ?? null

describe('an answer of an upstream', () => {
  const wordIn = (texts: Record<string, string>) => (code: string) => texts[`w_${code}`] ?? code

  it('is shown in the user’s words, and what the upstream itself said stays as it is', () => {
    const text = 'refund: unknown (no answer within 2000 ms), then query: absent [08F78BB0]'
    expect(answerIn(text, wordIn(ZH))).toBe('退款 → 未知 (no answer within 2000 ms), 查询 → 不存在 [08F78BB0]')
    expect(answerIn('close: refused (SYS: query: x)', wordIn(ZH))).toBe('关单 → 被拒绝 (SYS: query: x)')
  })

  it('has a word for every answer that a channel can give', () => {
    const contract = readFileSync(new URL('../../../packages/channels/src/contract.ts', import.meta.url), 'utf8')
    const answers = contract.slice(contract.indexOf('export type Unknown'), contract.indexOf('export type RawWebhook'))
    const kinds = [...answers.matchAll(/kind: '(\w+)'/g)].map(([, kind]) => kind as string)
    const methods = /PAY_METHODS = \[(.*)\]/.exec(contract)?.[1]?.match(/\w+/g) ?? []
    expect(kinds.length * methods.length).toBeGreaterThan(60)
    for (const texts of [ZH, EN]) expect([...kinds, ...methods].filter((code) => !(`w_${code}` in texts))).toEqual([])
  })
})

describe('an error of the API', () => {
  const failure = { error: 'CONFLICT', message: { zh: '中', en: 'E' } } as const
  const statuses = [0, 200, 399, 400, 401, 403, 404, 409, 429, 499, 500, 503]

  it('is named by the failure, or UNREACHABLE', () => {
    expect(new ApiError(409, failure)).toMatchObject({ message: 'CONFLICT', status: 409, failure })
    expect(new ApiError(0, null).message).toBe('UNREACHABLE')
  })

  it('is repeated twice where no answer came, and never after an answer', () => {
    expect([0, 1, 2, 3].map((count) => mayRepeat(count, new ApiError(0, null)))).toEqual([true, true, false, false])
    expect(statuses.filter((status) => mayRepeat(0, new ApiError(status, failure)))).toEqual([0])
    expect(mayRepeat(0, new Error('x'))).toBe(false)
  })

  it('is an answer from 400 to 499; after any other the outcome is unknown', () => {
    expect(statuses.filter((status) => isAnswered(new ApiError(status, failure)))).toEqual([
      400, 401, 403, 404, 409, 429, 499,
    ])
    expect(isAnswered(Object.assign(new Error('x'), { status: 404 }))).toBe(false)
    expect(isAnswered(null)).toBe(false)
  })

  it('speaks the user’s language, and says nothing where it has no words', () => {
    expect(messageOf(new ApiError(409, failure), 'zh', labelIn(ZH))).toBe('中')
    expect(messageOf(new ApiError(409, failure), 'en', labelIn(EN))).toBe('E')
    expect(messageOf(new ApiError(502, null), 'en', labelIn(EN))).toBeNull()
    expect(messageOf(new Error('x'), 'en', labelIn(EN))).toBeNull()
  })

  const about = (field: string, zh: string, en: string) =>
    new ApiError(400, { error: 'FIELD_INVALID', field, message: { zh, en } })

  it('names a field as the page calls it, and as the API does where no page has it', () => {
    const amount = about('amount_min', 'amount_min 应为元', 'amount_min should be yuan')
    expect(messageOf(amount, 'zh', labelIn(ZH))).toBe('“金额至少”应为元')
    expect(messageOf(amount, 'en', labelIn(EN))).toBe('“Amount at least” should be yuan')
    expect(messageOf(about('seq', 'seq 有误', 'seq is wrong'), 'zh', labelIn(ZH))).toBe('seq 有误')
    expect(messageOf(about('reason', '原因中有误', 'Wrong'), 'zh', labelIn(ZH))).toBe('原因中有误')
  })

  it.each(
    `allowed_ips amount amount_max amount_min app_no bill_day channel code day days description from host kind mch_no name new_password note
     number overlap_hours password port public_key rate_per_second reason recipients role secret security sender state transaction_no until
     url user username`.split(/\s+/),
  )('has a label for %s, which users fill in', (field) => {
    expect(labelIn(ZH)(field)).toMatch(/\p{Script=Han}/u)
    expect(labelIn(EN)(field)).toMatch(/^[\w ]/)
  })
})
