import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, NOW } from '../../../../test/support/orders.ts'
import { type Pool, transaction } from '../db.ts'
import { alarmJob, insertLeasedJob, type Job, leaseJob, leaseJobs, postponeJob, removeJob } from './jobs.ts'

const LEASE = 15_000
let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())
beforeEach(() => database.pool.query('delete from job'))

const key = (subject: string) => ({ mchNo: 'MCH1', kind: 'shut_attempts' as const, subject })
/** A job whose first lease, its writer's, ends at `dueMs`. */
const write = (subject: string, dueMs = 0) => insertLeasedJob(database.pool, key(subject), after(dueMs), NOW)
const leaseAll = (ms: number, limit = 100) =>
  leaseJobs(database.pool, { now: after(ms), leaseUntil: after(ms + LEASE) }, limit)
const lease = (subject: string, ms: number) => leaseJob(database.pool, key(subject), after(ms), after(ms + LEASE))
const subjects = (jobs: Job[]): string[] => jobs.map(({ subject }) => subject)
async function leased(subject: string, ms: number): Promise<Job> {
  const job = await lease(subject, ms)
  if (job === null) throw new Error(`${subject} is held`)
  return job
}

describe('a job', () => {
  it('is held by its writer until its first lease ends, and is then leased with the next number', async () => {
    await write('a', 1000)
    expect(await leaseAll(999)).toEqual([])
    expect(await lease('a', 999)).toBeNull()
    expect(await leaseAll(1000)).toEqual([{ ...key('a'), tries: 2, createdAt: NOW }])
  })

  it('is found behind those that another process has taken since they were looked at', async () => {
    for (const subject of ['a', 'b', 'c']) await write(subject)
    let isTaken = false
    const query = async (statement: { name?: string }) => {
      const found = await database.pool.query(statement as never)
      if (statement.name === 'dueJobs' && !isTaken) {
        isTaken = true
        expect(await leaseAll(0, 2)).toHaveLength(2)
      }
      return found
    }
    const pool = Object.create(database.pool, { query: { value: query } }) as Pool
    const found = await leaseJobs(pool, { now: after(0), leaseUntil: after(LEASE) }, 1)
    expect(found).toHaveLength(1)
    expect(await leaseAll(0)).toEqual([])
  })

  it('that exists is left as it is when it is written again', async () => {
    await write('a', 1000)
    await leased('a', 1000)
    await write('a', 0)
    expect(await leaseAll(1001)).toEqual([])
  })

  it('is not leased to another process while a lease lasts, and is leased again when it has ended', async () => {
    await write('a')
    expect((await leased('a', 0)).tries).toBe(2)
    expect(await lease('a', LEASE - 1)).toBeNull()
    expect(await leaseAll(LEASE - 1)).toEqual([])
    expect((await leased('a', LEASE)).tries).toBe(3)
  })

  it('that is done is gone, and removing it again is harmless', async () => {
    await write('a')
    await removeJob(database.pool, key('a'))
    await removeJob(database.pool, key('a'))
    expect(await leaseAll(LEASE)).toEqual([])
    expect(await lease('a', LEASE)).toBeNull()
  })

  it('of one merchant and kind is not that of another', async () => {
    await write('a')
    await insertLeasedJob(database.pool, { ...key('a'), mchNo: 'MCH2' }, NOW, NOW)
    await insertLeasedJob(database.pool, { ...key('a'), kind: 'reverse_payment' }, NOW, NOW)
    await removeJob(database.pool, key('a'))
    expect((await leaseAll(0)).map(({ mchNo, kind }) => `${mchNo} ${kind}`).sort()).toEqual([
      'MCH1 reverse_payment',
      'MCH2 shut_attempts',
    ])
  })
})

describe('many processes', () => {
  it('that lease at once never hold one job twice, and together hold all of them', async () => {
    const all = Array.from({ length: 60 }, (_, index) => `job${index}`)
    for (const subject of all) await write(subject)
    const results = await Promise.all(Array.from({ length: 20 }, () => leaseAll(0, 7)))
    const held = subjects(results.flat())
    expect(new Set(held).size).toBe(held.length)
    while (held.length < all.length) {
      const more = subjects(await leaseAll(0, 7))
      expect(more.length).toBeGreaterThan(0)
      held.push(...more)
    }
    expect(held.sort()).toEqual(all.sort())
  })

  it('that lease one named job at once: one gets it', async () => {
    await write('a')
    const results = await Promise.all(Array.from({ length: 20 }, () => lease('a', 0)))
    expect(results.filter((job) => job !== null)).toHaveLength(1)
  })

  it('lease the jobs that have been due the longest, at most `limit`, and none that is not due', async () => {
    for (const ms of [3, 1, 2, 9, 4]) await write(`due ${ms}`, ms)
    expect(subjects(await leaseAll(5, 2)).sort()).toEqual(['due 1', 'due 2'])
    await database.pool.query('analyze job')
    expect(subjects(await leaseAll(5, 1))).toEqual(['due 3'])
    expect(subjects(await leaseAll(5))).toEqual(['due 4'])
    expect(await leaseAll(5)).toEqual([])
  })

  it('skip a job whose row another transaction has locked, instead of waiting for it', async () => {
    await write('busy')
    await write('free')
    await transaction(database.pool, async (db) => {
      await db.query(`select 1 from job where mch_no = 'MCH1' and subject = 'busy' for update`)
      expect(subjects(await leaseAll(0))).toEqual(['free'])
    })
  })
})

describe('a process whose lease has ended', () => {
  it('does not postpone the job that another process holds now', async () => {
    await write('a')
    const late = await leased('a', 0)
    const current = await leased('a', LEASE)
    await postponeJob(database.pool, late, after(1_000_000))
    expect((await leased('a', 2 * LEASE)).tries).toBe(current.tries + 1)
    await postponeJob(database.pool, current, after(1_000_000))
    expect((await leased('a', 3 * LEASE)).tries).toBe(current.tries + 2)
  })

  it('does not bring back a job that is done', async () => {
    await write('a')
    const late = await leased('a', 0)
    await removeJob(database.pool, key('a'))
    await postponeJob(database.pool, late, NOW)
    expect(await leaseAll(LEASE)).toEqual([])
  })

  it('removes the job when the work is done, also when another process holds it', async () => {
    await write('a')
    const late = await leased('a', 0)
    await leased('a', LEASE)
    await removeJob(database.pool, late)
    expect(await leaseAll(10 * LEASE)).toEqual([])
  })
})

describe('a process that holds a job', () => {
  it('postpones it to a moment before or after the lease', async () => {
    await write('a')
    await postponeJob(database.pool, await leased('a', 0), after(50))
    expect(await lease('a', 49)).toBeNull()
    await postponeJob(database.pool, await leased('a', 50), after(10 * LEASE))
    expect(await lease('a', 10 * LEASE - 1)).toBeNull()
    expect(await lease('a', 10 * LEASE)).not.toBeNull()
  })

  it('raises its alarm once, also when twenty do so at once', async () => {
    await write('a')
    const job = await leased('a', 0)
    const raised = await Promise.all(Array.from({ length: 20 }, () => alarmJob(database.pool, job, after(5))))
    expect(raised.filter(Boolean)).toHaveLength(1)
    expect(await alarmJob(database.pool, await leased('a', LEASE), after(6))).toBe(false)
    const { rows } = await database.pool.query('select alarmed_at from job')
    expect(rows).toEqual([{ alarmed_at: after(5) }])
  })
})
