import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW } from '../../../../test/support/orders.ts'
import { transaction } from '../db.ts'
import { alarmJob, insertLeasedJob, type Job, leaseJob, leaseJobs, postponeJob, removeJob } from './jobs.ts'

const LEASE = 15_000
let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())
beforeEach(() => database.pool.query('delete from job'))

const key = (subject: string) => ({ mchNo: 'MCH1', kind: 'shut_attempts' as const, subject })
/** A job whose first taking, by its writer, runs out at `dueMs`. */
const write = (subject: string, dueMs = 0) => insertLeasedJob(database.pool, key(subject), after(dueMs), NOW)
const takeAll = (ms: number, limit = 100) =>
  leaseJobs(database.pool, { now: after(ms), leaseUntil: after(ms + LEASE) }, limit)
const take = (subject: string, ms: number) => leaseJob(database.pool, key(subject), after(ms), after(ms + LEASE))
const subjects = (jobs: Job[]): string[] => jobs.map(({ subject }) => subject)
async function taken(subject: string, ms: number): Promise<Job> {
  const job = await take(subject, ms)
  if (job === null) throw new Error(`${subject} is held`)
  return job
}

describe('a job', () => {
  it('is held by its writer until the moment that was named, and then taken with the next number', async () => {
    await write('a', 1000)
    expect(await takeAll(999)).toEqual([])
    expect(await take('a', 999)).toBeNull()
    expect(await takeAll(1000)).toEqual([{ ...key('a'), tries: 2, createdAt: NOW }])
  })

  it('that exists is left as it is when it is written again', async () => {
    await write('a', 1000)
    await taken('a', 1000)
    await write('a', 0)
    expect(await takeAll(1001)).toEqual([])
  })

  it("is nobody else's while the lease runs, and is taken again when it has run out", async () => {
    await write('a')
    expect((await taken('a', 0)).tries).toBe(2)
    expect(await take('a', LEASE - 1)).toBeNull()
    expect(await takeAll(LEASE - 1)).toEqual([])
    expect((await taken('a', LEASE)).tries).toBe(3)
  })

  it('that is done is gone, and removing it again is harmless', async () => {
    await write('a')
    await removeJob(database.pool, key('a'))
    await removeJob(database.pool, key('a'))
    expect(await takeAll(LEASE)).toEqual([])
    expect(await take('a', LEASE)).toBeNull()
  })

  it('of one merchant and kind is not that of another', async () => {
    await write('a')
    await insertLeasedJob(database.pool, { ...key('a'), mchNo: 'MCH2' }, NOW, NOW)
    await insertLeasedJob(database.pool, { ...key('a'), kind: 'reverse_payment' }, NOW, NOW)
    await removeJob(database.pool, key('a'))
    expect((await takeAll(0)).map(({ mchNo, kind }) => `${mchNo} ${kind}`).sort()).toEqual([
      'MCH1 reverse_payment',
      'MCH2 shut_attempts',
    ])
  })
})

describe('many takers', () => {
  it('at once never hold one job twice, and together hold all of them', async () => {
    const all = Array.from({ length: 60 }, (_, index) => `job${index}`)
    for (const subject of all) await write(subject)
    const hauls = await Promise.all(Array.from({ length: 20 }, () => takeAll(0, 7)))
    const held = subjects(hauls.flat())
    expect(new Set(held).size).toBe(held.length)
    while (held.length < all.length) {
      const more = subjects(await takeAll(0, 7))
      expect(more.length).toBeGreaterThan(0)
      held.push(...more)
    }
    expect(held.sort()).toEqual(all.sort())
  })

  it('at once for one named job: one gets it', async () => {
    await write('a')
    const hauls = await Promise.all(Array.from({ length: 20 }, () => take('a', 0)))
    expect(hauls.filter((job) => job !== null)).toHaveLength(1)
  })

  it('take what is due longest, no more than they asked for, and nothing that is not due', async () => {
    for (const ms of [3, 1, 2, 9, 4]) await write(`due ${ms}`, ms)
    expect(subjects(await takeAll(5, 2)).sort()).toEqual(['due 1', 'due 2'])
    await database.pool.query('analyze job')
    expect(subjects(await takeAll(5, 1))).toEqual(['due 3'])
    expect(subjects(await takeAll(5))).toEqual(['due 4'])
    expect(await takeAll(5)).toEqual([])
  })

  it('pass over a job whose row another transaction holds, instead of waiting for it', async () => {
    await write('busy')
    await write('free')
    await transaction(database.pool, async (db) => {
      await db.query(`select 1 from job where subject = 'busy' for update`)
      expect(subjects(await takeAll(0))).toEqual(['free'])
    })
  })
})

describe('a holder whose lease ran out', () => {
  it('does not postpone the job that somebody else holds by now', async () => {
    await write('a')
    const late = await taken('a', 0)
    const current = await taken('a', LEASE)
    await postponeJob(database.pool, late, after(1_000_000))
    expect((await taken('a', 2 * LEASE)).tries).toBe(current.tries + 1)
    await postponeJob(database.pool, current, after(1_000_000))
    expect((await taken('a', 3 * LEASE)).tries).toBe(current.tries + 2)
  })

  it('does not bring a job back that is done', async () => {
    await write('a')
    const late = await taken('a', 0)
    await removeJob(database.pool, key('a'))
    await postponeJob(database.pool, late, NOW)
    expect(await takeAll(LEASE)).toEqual([])
  })

  it('ends the job all the same when it finds that the work is done, whoever holds it', async () => {
    await write('a')
    const late = await taken('a', 0)
    await taken('a', LEASE)
    await removeJob(database.pool, late)
    expect(await takeAll(10 * LEASE)).toEqual([])
  })
})

describe('whoever holds a job', () => {
  it('postpones it to a moment before or after the lease', async () => {
    await write('a')
    await postponeJob(database.pool, await taken('a', 0), after(50))
    expect(await take('a', 49)).toBeNull()
    await postponeJob(database.pool, await taken('a', 50), after(10 * LEASE))
    expect(await take('a', 10 * LEASE - 1)).toBeNull()
    expect(await take('a', 10 * LEASE)).not.toBeNull()
  })

  it('raises its alarm once, also when twenty do', async () => {
    await write('a')
    const job = await taken('a', 0)
    const raised = await Promise.all(Array.from({ length: 20 }, () => alarmJob(database.pool, job, after(5))))
    expect(raised.filter(Boolean)).toHaveLength(1)
    expect(await alarmJob(database.pool, await taken('a', LEASE), after(6))).toBe(false)
    const { rows } = await database.pool.query('select alarmed_at from job')
    expect(rows).toEqual([{ alarmed_at: after(5) }])
  })
})
