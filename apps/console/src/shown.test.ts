import type { Permission } from '@acopay/protocol/console'
import { describe, expect, it } from 'vitest'
import { ApiError, isAnswered, mayRepeat, messageOf } from './api-error.ts'
import { dayBegin, dayEnd, when, whenExactly, yuan } from './format.ts'
import { pagesFor } from './menu.ts'
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

  it('of a day in UTC+8 begins and ends at 16:00 UTC', () => {
    expect([dayBegin('2026-03-01'), dayEnd('2026-03-01')]).toEqual([
      '2026-02-28T16:00:00.000Z',
      '2026-03-01T16:00:00.000Z',
    ])
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
  ['orders.read', 'overview orders refunds reversals account'],
  ['notifications.read', 'notifications account'],
  ['bills.read', 'bills account'],
  ['reconciliation.read', 'reconciliations account'],
  ['merchants.read', 'merchants explorer account'],
  ['users.read', 'users account'],
  ['audit.read', 'audit account'],
  ['sandbox.use', 'sandbox account'],
  ['orders.close', 'account'],
  ['refunds.create', 'account'],
  ['notifications.resend', 'account'],
  ['reconciliation.settle', 'account'],
  ['merchants.write', 'account'],
  ['channels.write', 'account'],
  ['users.write', 'account'],
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
      '/orders',
      '/refunds',
      '/reversals',
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
    good: 'SUCCESS DELIVERED DONE PAID keep paid done_SUCCESS in_use settled_true',
    busy: 'NOTPAY CLOSING PROCESSING PENDING OPENING OPEN BEGUN done_PROCESSING',
    bad: 'done_STUCK done_FAIL settled_false FAIL DEAD reverse stuck',
    calm: 'CLOSED REFUND SHUT expired FORBIDDEN constructor',
  }
  for (const [tone, states] of Object.entries(tones)) {
    expect(states.split(' ').filter((state) => toneOf(state) !== tone)).toEqual([])
  }
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
    expect(messageOf(new ApiError(409, failure), 'zh')).toBe('中')
    expect(messageOf(new ApiError(409, failure), 'en')).toBe('E')
    expect(messageOf(new ApiError(502, null), 'en')).toBeNull()
    expect(messageOf(new Error('x'), 'en')).toBeNull()
  })
})
