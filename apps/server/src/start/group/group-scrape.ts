/** Asks all workers what they have counted, for one scrape. */
import type { Registry } from 'prom-client'
import { groupMetrics, type MetricsPart } from '../../metrics/group-metrics.ts'
import type { World } from '../../world.ts'
import type { FromWorker } from './messages.ts'
import type { WorkerPort } from './worker-port.ts'

/** One that does not answer in this time is told of by what it had counted before. */
const ANSWER_MS = 2000

type Counted = Extract<FromWorker, { say: 'counted' }>

export type GroupScrape = {
  text: (workers: WorkerPort[]) => Promise<string>
  counted: (worker: WorkerPort, message: Counted) => void
  ended: (worker: WorkerPort) => Promise<void>
}

export function groupScrape(own: Registry, sleep: World['sleep']): GroupScrape {
  const metrics = groupMetrics(own)
  const waiting = new Map<number, (part: MetricsPart) => void>()
  let asked = 0

  async function askOne(worker: WorkerPort, of: 'process' | 'process and database') {
    asked += 1
    const ask = asked
    const answer = new Promise<MetricsPart>((resolve) => waiting.set(ask, resolve))
    const enough = new AbortController()
    worker.tell({ say: 'count', ask, of })
    const part = await Promise.race([answer, sleep(ANSWER_MS, enough.signal)])
    enough.abort()
    waiting.delete(ask)
    return part
  }

  return {
    async text(workers) {
      const fresh = new Map<number, MetricsPart>()
      await Promise.all(
        workers.map(async (worker, at) => {
          // What the database holds is the same for all of them.
          const part = await askOne(worker, at === 0 ? 'process and database' : 'process')
          if (part !== undefined) fresh.set(worker.id, part)
        }),
      )
      return metrics.text(fresh)
    },
    counted(worker, { ask, part }) {
      metrics.told(worker.id, part)
      if (ask !== null) waiting.get(ask)?.(part)
    },
    ended: ({ id }) => metrics.ended(id),
  }
}
