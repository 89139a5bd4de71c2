import { beforeEach, describe, expect, it } from 'vitest'
import { type Ended, type Forked, keepWorkers } from './workers.ts'

type Fake = Forked & {
  worker: number
  told: string[]
  listens: (url?: string | null) => void
  ends: (end?: Partial<Ended>) => void
}

const DIED: Ended = { code: null, signal: 'SIGKILL', why: null }

let forked: Fake[]
let logged: unknown[][]
let nowMs: number
let later: { atMs: number; run: () => void }[]
beforeEach(() => {
  forked = []
  logged = []
  nowMs = 0
  later = []
})

function fork(worker: number): Fake {
  let listens: Fake['listens'] = () => {}
  let ends: Fake['ends'] = () => {}
  const told: string[] = []
  const listening = new Promise<string | null>((resolve) => {
    listens = (url = 'http://gateway') => resolve(url)
  })
  const ended = new Promise<Ended>((resolve) => {
    ends = (end = {}) => {
      listens(null)
      resolve({ ...DIED, ...end })
    }
  })
  const leave = (how: string): void => void told.push(how)
  const fake = { worker, pid: 100 + forked.length, listening, ended, leave, kill: () => ends(), told, listens, ends }
  forked.push(fake)
  return fake
}

const turn = async (): Promise<void> => {
  for (let times = 0; times < 3; times += 1) await new Promise(setImmediate)
}

/** Time passes, and what is due by then is done. */
async function pass(ms: number): Promise<void> {
  nowMs += ms
  const due = later.filter(({ atMs }) => atMs <= nowMs)
  later = later.filter((one) => !due.includes(one))
  for (const { run } of due) run()
  await turn()
}

const kept = (count: number) =>
  keepWorkers({
    ...{ count, fork, nowMs: () => nowMs, patienceMs: 20_000 },
    log: { error: (...line: unknown[]) => logged.push(line), info: (...line: unknown[]) => logged.push(line) } as never,
    later(ms, run) {
      const one = { atMs: nowMs + ms, run }
      later.push(one)
      return () => {
        later = later.filter((other) => other !== one)
      }
    },
  })

/** So many that listen. */
async function started(count: number) {
  const workers = kept(count)
  const url = workers.start()
  forked[0]?.listens()
  await turn()
  for (const one of forked.slice(1)) one.listens()
  await url
  return workers
}

const numbers = (): number[] => forked.map(({ worker }) => worker)

describe('the start', () => {
  it('of the first worker comes before that of the others', async () => {
    const workers = kept(3)
    const url = workers.start()
    await turn()
    expect(numbers()).toEqual([1])
    forked[0]?.listens('http://here')
    await turn()
    expect(numbers()).toEqual([1, 2, 3])
    for (const one of forked) one.listens()
    expect(await url).toBe('http://here')
  })

  it('fails with the line of the worker that cannot start, and starts it no second time', async () => {
    const workers = kept(2)
    const url = workers.start()
    forked[0]?.ends({ code: 1, signal: null, why: 'port 8080 is taken' })
    await expect(url).rejects.toThrow('port 8080 is taken')
    await pass(60_000)
    expect(numbers()).toEqual([1])
  })
})

describe('a worker that dies', () => {
  it('is started again at once with its number, and an alarm says so', async () => {
    await started(2)
    nowMs = 60_000
    forked[1]?.ends()
    await turn()
    await pass(0)
    expect(numbers()).toEqual([1, 2, 2])
    const line = { workerNumber: 2, workerPid: 101, ...DIED, againMs: 0, alarm: true }
    expect(logged).toEqual([[line, 'a worker ended and is started again']])
  })

  it('soon after its start waits ever longer, up to half a minute, and no longer once it has lived', async () => {
    await started(2)
    const waits: number[] = []
    for (let deaths = 0; deaths < 7; deaths += 1) {
      forked.at(-1)?.ends()
      await turn()
      waits.push((later[0]?.atMs ?? Number.NaN) - nowMs)
      await pass(30_000)
      forked.at(-1)?.listens()
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    await pass(60_000)
    forked.at(-1)?.ends()
    await turn()
    expect(later[0]?.atMs).toBe(nowMs)
  })
})

describe('a replacement', () => {
  it('goes from worker to worker: a new one listens before the one before it leaves', async () => {
    const workers = await started(2)
    const replaced = workers.replace()
    await turn()
    expect(numbers()).toEqual([1, 2, 1])
    expect(forked[0]?.told).toEqual([])
    forked[2]?.listens()
    await turn()
    expect(forked[0]?.told).toEqual(['leaving'])
    expect(numbers()).toEqual([1, 2, 1])
    forked[0]?.ends({ code: 0, signal: null })
    await turn()
    expect(numbers()).toEqual([1, 2, 1, 2])
    forked[3]?.listens()
    await turn()
    forked[1]?.ends({ code: 0, signal: null })
    await replaced
    expect(logged).toEqual([[{ processes: 2 }, 'every worker was replaced']])
  })

  it('ends at a new worker that does not start: the old ones go on, and an alarm says why', async () => {
    const workers = await started(2)
    const replaced = workers.replace()
    await turn()
    forked[2]?.ends({ code: 1, signal: null, why: 'LOG_LEVEL is wrong' })
    await replaced
    expect(numbers()).toEqual([1, 2, 1])
    expect(forked.map(({ told }) => told)).toEqual([[], [], []])
    const line = { workerNumber: 1, why: 'LOG_LEVEL is wrong', code: 1, signal: null, alarm: true }
    expect(logged).toEqual([[line, 'a new worker did not start: the old ones go on']])
  })

  it('that is asked for while one is under way is done after it, once', async () => {
    const workers = await started(1)
    const replaced = workers.replace()
    void workers.replace()
    void workers.replace()
    for (const at of [0, 1]) {
      await turn()
      forked[at + 1]?.listens()
      await turn()
      forked[at]?.ends({ code: 0, signal: null })
    }
    await replaced
    expect(numbers()).toEqual([1, 1, 1])
  })

  it('kills a worker that does not leave', async () => {
    const workers = await started(1)
    const replaced = workers.replace()
    await turn()
    forked[1]?.listens()
    await turn()
    await pass(20_000)
    await replaced
    expect(logged).toEqual([[{ processes: 1 }, 'every worker was replaced']])
  })
})

it('a stop ends all of them, one that is starting too, and starts none again', async () => {
  const workers = await started(2)
  void workers.replace()
  await turn()
  const stopped = workers.stop()
  expect(forked.map(({ told }) => told)).toEqual([['stopping'], ['stopping'], ['stopping']])
  for (const one of forked) one.ends({ code: 0, signal: null })
  await stopped
  await pass(60_000)
  expect(forked).toHaveLength(3)
  expect(logged).toEqual([])
})
