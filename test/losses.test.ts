/**
 * The database goes and comes back while merchants close orders: the process lives, each caller is answered, no acknowledged
 * close is lost, and all others go through. `npm run test:long` loses it in all ten ways, embedded and external;
 * `npm run losses` prints the table.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { LOSSES } from './support/losses/kinds.ts'
import { lose, openStage, type Row } from './support/losses/lose.ts'
import type { Place } from './support/losses/server.ts'
import { isLong } from './support/size.ts'

const SIZE = isLong ? { inFlight: 20, stream: 60 } : { inFlight: 6, stream: 10 }
const PLACES: Place[] = isLong ? ['embedded', 'external'] : ['embedded']
/** Callers give up after 10 s; a machine that is busy with other tests may add its own. */
const BOUND_S = 20
const QUICK = ['kill -9', 'read-only standby']

const wrongIn = (row: Row): Partial<Row> => {
  const right = { process: 'alive', other: [], uncaught: 0, lost: 0, stuck: 0 }
  const wrong = Object.entries(right).filter(([name, value]) => `${row[name as keyof Row]}` !== `${value}`)
  const late = row.slowestS > BOUND_S ? { slowestS: row.slowestS } : {}
  return { ...Object.fromEntries(wrong.map(([name]) => [name, row[name as keyof Row]])), ...late }
}

it.each(PLACES)(
  'a database (%s) that is lost and comes back: each close is answered, and none that was acknowledged is lost',
  async (where) => {
    const home = mkdtempSync(path.join(tmpdir(), 'l-'))
    const stage = await openStage(where, home)
    const wrong: object[] = []
    for (const loss of LOSSES.filter(({ name }) => isLong || QUICK.includes(name))) {
      if (loss.name === 'full disk' && !stage.hasSmallDisk) {
        console.log('skipped: full disk, because this user may not mount a small one')
        continue
      }
      const row = await lose(stage, loss, SIZE)
      const faults = wrongIn(row)
      if (Object.keys(faults).length > 0) wrong.push({ loss: loss.name, ...faults })
    }
    await stage.end()
    rmSync(home, { recursive: true })
    expect(wrong).toEqual([])
  },
)
