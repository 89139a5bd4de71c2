/** What a try by hand changes of an alarm channel. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW } from '../../../../test/support/orders.ts'
import { addAlarmChannel, alarmChannels, noteAlarmTest } from './alarm-channels.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())
/** Two channels that failed three times, and are tried again in a minute. */
beforeEach(async () => {
  await database.pool.query('delete from alarm_channel')
  for (const channelId of ['a', 'b']) {
    const one = {
      channelId,
      kind: 'webhook',
      name: channelId,
      settingsSealed: Buffer.from('x'),
      isEnabled: true,
    } as const
    await addAlarmChannel(database.pool, one, NOW)
  }
  await database.pool.query('update alarm_channel set tries = 3, failing_from = $1, due_at = $2', [NOW, after(60_000)])
})

const tested = async (isFine: boolean) => {
  await noteAlarmTest(database.pool, { channelId: 'a', at: after(5), answer: 'said', isFine })
  return alarmChannels(database.pool)
}

it('a fine one ends the failing and makes it due at once; the other channel stays as it is', async () => {
  expect(await tested(true)).toMatchObject([
    { channelId: 'a', tries: 0, failingFrom: null, dueAt: after(5), triedAt: after(5), lastAnswer: 'said' },
    { channelId: 'b', tries: 3, failingFrom: NOW, dueAt: after(60_000), triedAt: null, lastAnswer: null },
  ])
})

it('one that fails is told, and changes neither since when it fails nor when it is tried again', async () => {
  expect(await tested(false)).toMatchObject([
    { channelId: 'a', tries: 3, failingFrom: NOW, dueAt: after(60_000), triedAt: after(5), lastAnswer: 'said' },
    { channelId: 'b', tries: 3 },
  ])
})

it('a fine one of a channel that did not fail leaves it due as it was', async () => {
  await database.pool.query('update alarm_channel set tries = 0, failing_from = null')
  expect((await tested(true))[0]).toMatchObject({ tries: 0, failingFrom: null, dueAt: after(60_000) })
})
