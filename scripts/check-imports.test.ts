import { describe, expect, it } from 'vitest'
import { violations } from './check-imports.mjs'

const rules = (path: string, ...lines: string[]): string[] => violations([{ path, text: lines.join('\n') }])

const FORBIDDEN: [why: string, path: string, line: string, rule: string][] = [
  ['core reads the clock', 'packages/core/src/a.ts', 'const t = Date.now()', 'core is pure: no Date.now'],
  ['core makes a date of now', 'packages/core/src/a.ts', 'const t = new Date()', 'core is pure: no new Date()'],
  ['core throws dice', 'packages/core/src/a.ts', 'const d = Math.random()', 'core is pure: no Math.random'],
  ['core waits', 'packages/core/src/a.ts', 'setTimeout(go, 1)', 'core is pure: no setTimeout'],
  ['core uses the network', 'packages/core/src/a.ts', 'await fetch(url)', 'core is pure: no fetch'],
  ['core looks at the process', 'packages/core/src/a.ts', 'process.exit(1)', 'core is pure: no process'],
  ['core imports Node', 'packages/core/src/a.ts', `import fs from 'node:fs'`, 'core imports nothing, not even node:fs'],
  ['core imports a library', 'packages/core/src/a.ts', `import pg from 'pg'`, 'core imports nothing, not even pg'],
  [
    'a lower one imports a higher one',
    'packages/core/src/a.ts',
    `import { x } from '@acopay/store'`,
    'packages/core does not import store',
  ],
  [
    'store imports a neighbour',
    'packages/store/src/a.ts',
    `import type { X } from '@acopay/channels'`,
    'packages/store does not import channels',
  ],
  [
    'store imports the contract',
    'packages/store/src/a.ts',
    `export * from '@acopay/protocol'`,
    'packages/store does not import protocol',
  ],
  [
    'an import is dynamic',
    'packages/channels/src/a.ts',
    `const s = await import('@acopay/store')`,
    'packages/channels does not import store',
  ],
  [
    'a type is imported in place',
    'packages/sdk/src/a.ts',
    `type S = import('@acopay/store').Order`,
    'packages/sdk does not import store',
  ],
  [
    'an import has no names',
    'packages/protocol/src/a.ts',
    `import '@acopay/core'`,
    'packages/protocol does not import core',
  ],
  [
    'the server uses the SDK',
    'apps/server/src/a.ts',
    `import { x } from '@acopay/sdk'`,
    'apps/server does not import sdk',
  ],
  [
    'upstreams outside the sandbox',
    'apps/server/src/main.ts',
    `import { x } from '@acopay/upstreams'`,
    'only the sandbox files of the server import upstreams',
  ],
  [
    'the command line skips the SDK',
    'apps/cli/src/a.ts',
    `import { x } from '@acopay/protocol'`,
    'apps/cli does not import protocol',
  ],
  [
    'a page imports a value',
    'apps/cashier/src/a.tsx',
    `import { x } from '@acopay/protocol'`,
    'apps/cashier imports only types of protocol',
  ],
  [
    'a file imports main.ts',
    'apps/server/src/http/a.ts',
    `import { x } from '../main.ts'`,
    'only operate.ts imports main.ts',
  ],
  [
    'the environment is read elsewhere',
    'apps/server/src/start/config.ts',
    'const p = process.env.PORT',
    'only main.ts and world.ts read process.env',
  ],
  [
    'a channel imports another',
    'packages/channels/src/wechat/a.ts',
    `import { x } from '../alipay/b.ts'`,
    'the channel wechat does not import the channel alipay',
  ],
  [
    'an import climbs out',
    'apps/server/src/a.ts',
    `import { x } from '../../../packages/store/src/db.ts'`,
    'a relative import stays in its own package',
  ],
  ['a folder says nothing', 'apps/server/src/utils/a.ts', '', 'a folder is named after what is in it, not "utils"'],
]

const ALLOWED: [why: string, path: string, line: string][] = [
  ['a comment names the clock', 'packages/core/src/a.ts', '// not Date.now(), see main.ts'],
  ['a comment shows an import', 'packages/core/src/a.ts', `/* import pg from 'pg' */`],
  ['a date is made of a given time', 'packages/core/src/a.ts', 'const t = new Date(nowMs)'],
  ['an address is no comment', 'packages/core/src/a.ts', `const u = 'https://example.com'`],
  ['core imports itself', 'packages/core/src/a.ts', `import { x } from './b.ts'`],
  ['store imports core', 'packages/store/src/a.ts', `import { x } from '@acopay/core'`],
  ['http imports actions', 'apps/server/src/http/a.ts', `import { x } from '../actions/b.ts'`],
  ['jobs import actions', 'apps/server/src/jobs/a.ts', `import { x } from '../actions/b.ts'`],
  ['main.ts reads the environment', 'apps/server/src/main.ts', 'readConfig(process.env)'],
  [
    'the sandbox imports upstreams',
    'apps/server/src/sandbox/demo-merchant.ts',
    `import { x } from '@acopay/upstreams'`,
  ],
  ['a page imports a type', 'apps/console/src/a.tsx', `import type { X } from '@acopay/protocol'`],
  ['the list of channels imports each', 'packages/channels/src/installed.ts', `import { x } from './wechat/index.ts'`],
  ['a channel imports the contract', 'packages/channels/src/wechat/a.ts', `import type { X } from '../contract.ts'`],
  ['a test imports anything', 'packages/core/src/a.test.ts', `import { x } from '../../../test/support/database.ts'`],
]

describe('the import check', () => {
  it.each(FORBIDDEN)('finds: %s', (_why, path, line, rule) => {
    expect(rules(path, line)).toContain(`${path}:1 ${rule}`)
  })

  it.each(ALLOWED)('accepts: %s', (_why, path, line) => {
    expect(rules(path, line)).toEqual([])
  })

  it('names the line of an import that spans several', () => {
    const path = 'packages/store/src/a.ts'
    expect(rules(path, '', 'import {', '  one,', `} from '@acopay/protocol'`)).toEqual([
      `${path}:4 packages/store does not import protocol`,
    ])
  })

  it('finds a file of 301 lines and accepts one of 300', () => {
    const path = 'apps/server/src/a.ts'
    expect(rules(path, 'a\n'.repeat(301))).toEqual([`${path}:301 a file has at most 300 lines, this one has 301`])
    expect(rules(path, 'a\n'.repeat(300))).toEqual([])
  })

  it('does not count the lines of a test', () => {
    expect(rules('apps/server/src/a.test.ts', 'a\n'.repeat(301))).toEqual([])
  })
})
