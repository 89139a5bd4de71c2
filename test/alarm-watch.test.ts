/** Stopping the looks for alarms. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startAlarmWatch } from '../apps/server/src/jobs/alarm-watch.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
beforeAll(async () => {
  gateway = await testWorld()
})
afterAll(() => gateway.stop())

it('a gateway that stops waits for the look that is under way, so that nothing of it is cut off', async () => {
  const other = await gateway.database.pool.connect()
  await other.query('begin')
  await other.query('lock table alarm, alarm_channel in access exclusive mode')
  const watch = startAlarmWatch(gateway.world)
  const isWaiting = async () =>
    (
      await other.query(`select from pg_locks where not granted and relation = any ($1::regclass[])`, [
        ['alarm', 'alarm_channel'],
      ])
    ).rowCount
  await expect.poll(isWaiting).toBe(1)
  const happened: string[] = []
  const stopped = watch.stop().then(() => happened.push('stopped'))
  await other.query('select 1')
  happened.push('the look may go on')
  await other.query('rollback')
  other.release()
  await stopped
  expect(happened).toEqual(['the look may go on', 'stopped'])
})
