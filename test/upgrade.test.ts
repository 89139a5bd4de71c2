/** An upgrade under load, and the way back: no call fails. `npm run upgrade-trial` does it with more orders, and prints how long calls took. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { isLong, SIZE } from './support/size.ts'
import { OLD } from './support/upgrade/old.ts'
import { upgradeTrial } from './support/upgrade/trial.ts'

it.runIf(isLong)(
  `${SIZE.upgradeOrders} orders are upgraded twice and brought back while merchants place, query and close: no call fails`,
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'acopay-upgrade-'))
    const said: string[] = []
    const phases = await upgradeTrial({
      commit: OLD,
      orders: SIZE.upgradeOrders,
      lanes: 4,
      folder,
      say: (line) => said.push(line),
    })
    rmSync(folder, { recursive: true })
    expect(phases.flatMap(({ failed }) => failed)).toEqual([])
    expect(phases.filter(({ calls }) => calls === 0)).toEqual([])
    // The migration stepped back from the transaction that was in its way.
    expect(said.join('\n')).toContain('a table is in use, trying again')
  },
  600_000,
)
