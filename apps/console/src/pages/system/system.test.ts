import { describe, expect, it } from 'vitest'
import { closed, successRate } from './figures.ts'
import { merchantOfNew, rolesToAdd, rolesToChange, stateOf } from './user-roles.ts'

describe('the figures of a time', () => {
  const of = (paid: number, byMerchant: number, byExpiry: number, byOperator: number) => ({
    paid,
    closed_by_merchant: byMerchant,
    closed_by_expiry: byExpiry,
    closed_by_operator: byOperator,
  })

  it('count an order as closed by whomever it was closed', () => {
    expect(closed(of(100, 1, 20, 300))).toBe(321)
  })

  it('have a success rate among the orders that ended, with one decimal', () => {
    expect(successRate(of(0, 0, 0, 0))).toBe('—')
    expect(successRate(of(1, 0, 0, 0))).toBe('100.0%')
    expect(successRate(of(0, 0, 1, 0))).toBe('0.0%')
    expect(successRate(of(2, 0, 1, 0))).toBe('66.7%')
    expect(successRate(of(1, 1, 1, 1))).toBe('25.0%')
  })
})

describe('users', () => {
  const PLATFORM = ['platform_admin', 'operator', 'finance']
  const MERCHANT = ['merchant_admin', 'merchant_viewer']

  it('are given any role by the platform, and only the merchant’s by a merchant’s admin', () => {
    expect(rolesToAdd(null)).toEqual([...PLATFORM, ...MERCHANT])
    expect(rolesToAdd('MCH1')).toEqual(MERCHANT)
  })

  it('stay on their side when the role changes', () => {
    expect(rolesToChange(null)).toEqual(PLATFORM)
    expect(rolesToChange('MCH1')).toEqual(MERCHANT)
  })

  it('of a merchant belong to the admin’s own merchant, or to the chosen one; others to none', () => {
    expect(merchantOfNew('merchant_viewer', 'MCH1', null)).toBe('MCH1')
    expect(merchantOfNew('merchant_admin', 'MCH1', 'MCH2')).toBe('MCH1')
    expect(merchantOfNew('merchant_admin', null, 'MCH2')).toBe('MCH2')
    expect(merchantOfNew('operator', null, 'MCH2')).toBeNull()
    expect(merchantOfNew('finance', 'MCH1', 'MCH2')).toBeNull()
  })

  it('are disabled, locked or enabled, in this order', () => {
    expect(stateOf({ enabled: true, locked_until: null })).toBe('enabled')
    expect(stateOf({ enabled: true, locked_until: '2026-03-01T04:00:00Z' })).toBe('locked')
    expect(stateOf({ enabled: false, locked_until: '2026-03-01T04:00:00Z' })).toBe('disabled')
    expect(stateOf({ enabled: false, locked_until: null })).toBe('disabled')
  })
})
