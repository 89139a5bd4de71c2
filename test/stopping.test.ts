/** A gateway that stops waits for what it does in the background, so that nothing of it is cut off. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startAlarmWatch } from '../apps/server/src/jobs/alarm-watch.ts'
import { lookout } from '../apps/server/src/jobs/lookout.ts'
import { startWorker, type Worker } from '../apps/server/src/jobs/worker.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
beforeAll(async () => {
  gateway = await testWorld()
})
afterAll(() => gateway.stop())

const worker = (): Worker => startWorker(gateway.world, lookout(gateway.world, 1000))

it.each<[what: string, tables: string[], start: () => Worker]>([
  ['a look for alarms', ['alarm', 'alarm_channel'], () => startAlarmWatch(gateway.world)],
  ['counting the figures', ['figure'], worker],
  ['a round of jobs', ['job'], worker],
])('waits for %s that is under way', async (_what, tables, start) => {
  const other = await gateway.database.pool.connect()
  await other.query('begin')
  await other.query(`lock table ${tables.join(', ')} in access exclusive mode`)
  const started = start()
  // All that is not done is what waits for the tables.
  const working = `select coalesce(wait_event_type, 'works') as what from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid() and state = 'active'`
  await expect.poll(async () => (await gateway.database.pool.query(working)).rows).toEqual([{ what: 'Lock' }])
  const happened: string[] = []
  const stopped = started.stop().then(() => happened.push('stopped'))
  await other.query('select 1')
  happened.push('it may go on')
  await other.query('rollback')
  other.release()
  await stopped
  expect(happened).toEqual(['it may go on', 'stopped'])
})
