import { describe, expect, it } from 'vitest'
import { capacity } from './capacity.ts'
import { capacityOf } from './capacity-sums.ts'
import { UsageError } from './usage-error.ts'

const asked = { days: 365, largestShare: 0.05, standbys: 1 }

async function said(...args: string[]): Promise<string> {
  const lines: string[] = []
  await capacity.run(args, { env: {}, defaultHome: '', say: (line) => lines.push(line) })
  return lines.join('\n')
}

describe('what orders need', () => {
  it('grows with them, and names what gives way first', () => {
    const nexts = [100_000, 1_000_000, 8_000_000, 10_000_000, 100_000_000].map(
      (ordersPerDay) => capacityOf({ ...asked, ordersPerDay }).next,
    )
    expect(nexts).toEqual(['none', 'none', 'processes', 'primary', 'primary'])
    const [small, large] = [10_000_000, 100_000_000].map((ordersPerDay) => capacityOf({ ...asked, ordersPerDay }))
    expect(large?.perSecond).toEqual({ mean: 1160, peak: 5790 })
    expect(large?.postgres.nodes).toBe(12)
    expect(large?.postgres.servers).toBe(24)
    expect(large?.walGbPerDay).toBe(1200)
    expect((large?.gateways.cores ?? 0) / (small?.gateways.cores ?? 1)).toBeCloseTo(10, 0)
  })

  it('is two processes and one primary at least, for no loss when one stops', () => {
    const least = capacityOf({ ...asked, ordersPerDay: 1 })
    expect(least.gateways).toEqual({ cores: 1, processes: 2, machines: 2 })
    expect(least.postgres).toEqual({ cores: 2, nodes: 1, servers: 2 })
  })

  it('disk grows with days and standbys', () => {
    const tb = (days: number, standbys: number) =>
      capacityOf({ ...asked, ordersPerDay: 1_000_000, days, standbys }).diskTb
    expect(tb(365, 0)).toBe(1.33)
    expect(tb(365, 1)).toBe(2.66)
    expect(tb(30, 0)).toBe(0.109)
  })

  it('a merchant that one primary cannot hold is said, with the share that it can', () => {
    const { largestMerchant, next } = capacityOf({ ...asked, ordersPerDay: 100_000_000, largestShare: 0.1 })
    expect(largestMerchant).toEqual({ peakPerSecond: 579, fits: false, largestSharePossible: 0.0864 })
    expect(next).toBe('merchant')
  })
})

describe('the command', () => {
  it('says of each figure whether it was measured', async () => {
    const text = await said('--orders-per-day', '1000000')
    expect(text).toContain('57.9/s 峰值 at peak')
    expect(text).toMatch(/实测 measured {2}1\.1 ms .*bench:close/)
    expect(text).toMatch(/假定 assumed {3}5 times/)
    const { costs, gateways } = JSON.parse(await said('--orders-per-day', '1000000', '--json'))
    expect(costs.rowBytes).toMatchObject({ value: 2938, isMeasured: true })
    expect(gateways.processes).toBe(2)
  })

  it.each([
    [[], 'orders-per-day'],
    [['--orders-per-day', '0'], 'orders-per-day'],
    [['--orders-per-day', '1.5'], 'orders-per-day'],
    [['--orders-per-day', '1e9'], 'orders-per-day'],
    [['--orders-per-day', '10', '--largest-merchant', '2'], 'largest-merchant'],
    [['--orders-per-day', '10', '--standbys', '9'], 'standbys'],
    [['--orders-per-day', '10', '--days', '0'], 'days'],
    [['--orders', '10'], 'orders-per-day'],
  ])('%j is refused, and the option is named', async (args, option) => {
    await expect(said(...args)).rejects.toThrow(UsageError)
    await expect(said(...args)).rejects.toThrow(option)
  })
})
