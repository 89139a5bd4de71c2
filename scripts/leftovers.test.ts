import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { clearAway, leftovers, OWNER, ownTemporaryFolder, processesOf } from './leftovers.mjs'

/** Starts a grandchild that outlives its parent, listens, and says its pid and port. */
const LEAVES = `
  const { spawn } = require('node:child_process')
  const code = "require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(process.pid, this.address().port) })"
  spawn(process.execPath, ['-e', code], { detached: true, stdio: 'inherit' }).unref()
`

it.runIf(process.platform === 'linux')(
  'a process that has outlived its parent, its port and a folder are found by the name of who started them, and cleared away',
  async () => {
    const dir = ownTemporaryFolder(os.tmpdir(), 'acopay-left-')
    const owner = `test-${process.pid}`
    expect(await leftovers({ owner, dir })).toEqual([])

    mkdirSync(path.join(dir, 'acopay-home-x'))
    // Of a file whose tests were all skipped.
    ownTemporaryFolder(dir, 'acopay-t-')
    const env = { ...process.env, [OWNER]: `${owner}.file`, TMPDIR: dir }
    const parent = spawn(process.execPath, ['-e', LEAVES], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const [[said]] = await Promise.all([once(parent.stdout, 'data'), once(parent, 'exit')])
    const [pid, port] = String(said).trim().split(' ')

    const found = await leftovers({ owner, dir, graceMs: 0, more: async () => ['database x'] })
    expect(found.map((line) => line.replace(/^(process \d+): .*$/, '$1'))).toEqual([
      `process ${pid}`,
      `port ${port}`,
      `folder ${path.join(dir, 'acopay-home-x')}`,
      'database x',
    ])
    // Another owner's are not touched.
    expect(processesOf('test')).toEqual([])
    await clearAway(owner, dir)
    expect(processesOf(owner)).toEqual([])
    expect(existsSync(dir)).toBe(false)
  },
)
