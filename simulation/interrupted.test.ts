import { once } from 'node:events'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { clearAway, leftovers, OWNER, ownTemporaryFolder, processesOf } from '../scripts/leftovers.mjs'
import { FROM_SOURCE } from '../test/support/from-source.ts'
import { spawnNode } from '../test/support/process.ts'

it.runIf(process.platform === 'linux')(
  'the simulator that is told to stop in the middle leaves no process, no PostgreSQL and no folder',
  async () => {
    const dir = ownTemporaryFolder(os.tmpdir(), 'acopay-left-')
    const owner = `simulate-${process.pid}`
    const simulate = [...FROM_SOURCE, path.join(import.meta.dirname, 'simulate.ts'), '--workers', '1']
    const child = spawnNode(simulate, { [OWNER]: owner, TMPDIR: dir })
    const commands = () =>
      processesOf(owner)
        .map(({ command }) => command)
        .join('\n')
    await expect.poll(commands).toContain('seeds-process')
    await expect.poll(commands).toMatch(/postgres: acopay simulation_/)
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(130)
    const left = await leftovers({ owner, dir })
    await clearAway(owner, dir)
    expect(left).toEqual([])
  },
)
