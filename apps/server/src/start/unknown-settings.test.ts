import { expect, it } from 'vitest'
import { distance, unknownSettings } from './unknown-settings.ts'

it('a misspelt setting is named in one line with the setting that may be meant', () => {
  const env = { PATH: '/bin', ACOPAY_RATE_PER_ADRESS: '1', ACOPAY_MODE: 'sandbox', ACOPAY_CLOSE_BUDGET: '5000' }
  expect(unknownSettings(env)).toEqual([
    '未知的设置 unknown setting: ACOPAY_CLOSE_BUDGET，不起作用，是否应为 (it does nothing; did you mean) ACOPAY_CLOSE_BUDGET_MS?',
    '未知的设置 unknown setting: ACOPAY_RATE_PER_ADRESS，不起作用，是否应为 (it does nothing; did you mean) ACOPAY_RATE_PER_ADDRESS?',
  ])
})

it('settings of the gateway, of the command line and of the tests are known', () => {
  const names = ['HOME', 'PUBLIC_URL', 'MASTER_KEY', 'NOTIFY_PORTS', 'CONFIG', 'MCH_PRIVATE_KEY_FILE', 'TEST_OWNER']
  expect(unknownSettings(Object.fromEntries(names.map((name) => [`ACOPAY_${name}`, ''])))).toEqual([])
})

it('a file for a secret is known, and one for another setting is not', () => {
  const env = { ACOPAY_MASTER_KEY_FILE: '', ACOPAY_ENV_FILE: 'none', ACOPAY_HOME_FILE: '' }
  expect(unknownSettings(env)).toEqual([expect.stringContaining('ACOPAY_HOME_FILE')])
})

it('a setting of an earlier version is named with what took its place', () => {
  expect(unknownSettings({ ACOPAY_SANDBOX_AHEAD_HOURS: '24' })).toEqual([
    expect.stringContaining('(use `acopay sandbox time +1d`)'),
  ])
})

it.each([
  ['', '', 0],
  ['same', 'same', 0],
  ['', 'abc', 3],
  ['ADRESS', 'ADDRESS', 1],
  ['kitten', 'sitting', 3],
  ['flaw', 'lawn', 2],
])('%s and %s differ by %i letters', (one, other, letters) => {
  expect([distance(one, other), distance(other, one)]).toEqual([letters, letters])
})
