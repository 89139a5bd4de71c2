import { expect, it } from 'vitest'
import { coresHere, processesOf } from './cores.ts'

const on = (files: Record<string, string>, cores = 8): number => coresHere(cores, (file) => files[file] ?? null)

it('a gateway that is told how many processes it has, has as many', () => {
  expect(processesOf({ processes: 3 })).toBe(3)
  expect(processesOf({ processes: 'auto' })).toBeGreaterThanOrEqual(1)
})

it('has one for each core, and no more than its container or unit may use', () => {
  const max = '/sys/fs/cgroup/cpu.max'
  expect(on({})).toBe(8)
  expect(on({ [max]: 'max 100000\n' })).toBe(8)
  expect(on({ '/proc/self/cgroup': '0::/\n', [max]: '200000 100000\n' })).toBe(2)
  expect(on({ [max]: '250000 100000\n' })).toBe(3)
  expect(on({ [max]: '50000 100000\n' })).toBe(1)
  expect(on({ [max]: '1600000 100000\n' })).toBe(8)
  const unit = '/system.slice/acopay.service'
  expect(
    on({ '/proc/self/cgroup': `12:cpu:/x\n0::${unit}\n`, [`/sys/fs/cgroup${unit}/cpu.max`]: '100000 100000' }),
  ).toBe(1)
})
