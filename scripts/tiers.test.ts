import { describe, expect, it } from 'vitest'
import { classify, importsIn, testFiles } from '../test/support/tiers.ts'
import { places } from './chromium.cjs'
import { sums } from './closing-line.mjs'

/** Classifies `test/a.test.ts` among these files. */
const tierOf = (files: Record<string, string>) =>
  classify(
    'test/a.test.ts',
    importsIn((file) => files[file] ?? null),
  )

describe('the tier of a test file', () => {
  it.each<[string, string, string]>([
    ['that only imports sources', `import { fen } from '@acopay/core'`, 'unit'],
    ['that asks for a database', `import { testDatabase } from './support/database.ts'`, 'db'],
    ['that asks for it by a dynamic import', `await import('./support/database.ts')`, 'db'],
    ['that starts a process', `import { startProcess } from './support/process.ts'`, 'db'],
    ['that says it is slow', `import './support/slow.ts'`, 'db'],
    ['that opens a browser', `import { openBrowser } from './support/browser.ts'`, 'pages'],
  ])('%s', (_what, text, tier) => {
    const files = { 'test/a.test.ts': text, 'test/support/database.ts': `import { x } from './postgres.ts'` }
    expect(tierOf(files)).toMatchObject({ tier, isSized: false, isOnlyLong: false })
  })

  it('follows what its imports import, in a circle too', () => {
    const files = {
      'test/a.test.ts': `import { b } from '../simulation/b.ts'`,
      'simulation/b.ts': `import { c } from './deep/c.ts'`,
      'simulation/deep/c.ts': `import { b } from '../b.ts'\nexport * from '../../test/support/size.ts'\nimport '../../test/support/browser.ts'`,
    }
    expect(tierOf(files)).toMatchObject({ tier: 'pages', isSized: true })
  })

  it('is left to the long tests where it says so', () => {
    const files = { 'test/a.test.ts': `import './support/only-long.ts'` }
    expect(tierOf(files)).toMatchObject({ tier: 'unit', isOnlyLong: true })
  })

  it('is unit or none where it loads an SDK that changes the sockets of its process', () => {
    const oracle = { 'test/support/oracle.ts': `import { AlipaySdk } from 'alipay-sdk'` }
    const text = `import './support/oracle.ts'`
    expect(tierOf({ ...oracle, 'test/a.test.ts': text })).toMatchObject({ tier: 'unit' })
    for (const more of ['slow', 'postgres', 'browser']) {
      const files = { ...oracle, 'test/a.test.ts': `${text}\nimport './support/${more}.ts'` }
      expect(() => tierOf(files), more).toThrow('test/a.test.ts loads alipay-sdk')
    }
  })

  it('is known of every test file, and each tier has some', () => {
    const tiers = new Set(testFiles().map(({ tier }) => tier))
    expect([...tiers].sort()).toEqual(['db', 'pages', 'unit'])
  })

  it('is unit only where no database is asked for: asking all the same fails', async () => {
    const { openPool } = await import('@acopay/store')
    const ask = async () => openPool({ connectionString: 'postgresql://127.0.0.1:1/none' }).query('select 1')
    await expect(ask()).rejects.toThrow('a unit test asks for the database')
  })
})

describe('the closing line of several runs', () => {
  const runs = '{"passed":3,"failed":0,"skipped":1}\n{"passed":4,"failed":0,"skipped":0}\n'

  it('is the sum of them', () => expect(sums(runs, 0)).toEqual({ passed: 7, failed: 0, skipped: 1 }))
  it('counts a step that failed without a test', () => expect(sums(runs, 1)).toMatchObject({ passed: 7, failed: 1 }))
  it('counts the failed tests where there are some', () =>
    expect(sums('{"passed":1,"failed":2,"skipped":0}', 1)).toMatchObject({ failed: 2 }))
  it('fails where nothing ran', () => expect(sums('', 1)).toEqual({ passed: 0, failed: 1, skipped: 0 }))
})

it.each<[NodeJS.Platform, Record<string, string>, string]>([
  ['linux', {}, '/usr/bin/chromium'],
  ['darwin', { HOME: '/Users/li' }, '/Users/li/Applications/Chromium.app/Contents/MacOS/Chromium'],
  ['win32', { PROGRAMFILES: 'C:\\Program Files' }, 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe'],
])('a browser is looked for on %s', (platform, env, place) => {
  expect(places(platform, env)).toContain(place)
})
