/** A worker's side of the group: what it hears from its parent, and tells it. */
import cluster from 'node:cluster'
import { readAtScrape } from '../../http/metrics.ts'
import type { Together } from '../../http/together.ts'
import { type MetricsPart, partOf } from '../../metrics/group-metrics.ts'
import type { FaultShare, SharedFaults } from '../../sandbox/shared-faults.ts'
import type { World } from '../../world.ts'
import type { Bus, Told } from '../telling.ts'
import type { FromWorker, Post, ToWorker } from './messages.ts'

/** A gateway's place in its group. */
export type Member = {
  post: Post
  together: Together
  bus: Bus
  faults: FaultShare
  /** Call it when this process has stopped listening: resolves when no connection is on its way to it any more. */
  letGo: () => Promise<void>
  /** From now on the parent hears of this world what it asks. */
  joins: (world: World) => void
}

/** How a worker ends. `orphaned`: its parent has died, and with it the port. */
export type WorkerEnd = 'leaving' | 'stopping' | 'orphaned'

export type ParentLink = {
  post: Promise<Post>
  memberAt: (post: Post) => Member
  end: Promise<WorkerEnd>
  /** Resolves when it has been sent. */
  tell: (message: FromWorker) => Promise<void>
  /** Tells what was counted last. */
  tellLast: () => Promise<void>
}

export function linkToParent(): ParentLink {
  const { metricsText, scraped } = asking()
  const end = once<WorkerEnd>()
  const post = once<Post>()
  const gone = once<void>()
  const heard = { told: [] as ((told: Told) => void)[], faults: [] as ((changed: SharedFaults) => void)[] }
  let world: World | null = null
  let count: (of: 'process' | 'process and database') => Promise<MetricsPart> = async () => []

  const hear = async (message: ToWorker): Promise<void> => {
    switch (message.say) {
      case 'post':
        return post.resolve(message.post)
      case 'leave':
        return end.resolve(message.how)
      case 'let go':
        return gone.resolve()
      case 'told':
        for (const told of message.told) for (const listener of heard.told) listener(told)
        return
      case 'count':
        return tell({ say: 'counted', ask: message.ask, part: await count(message.of).catch(() => []) })
      case 'scraped':
        return scraped(message)
      case 'alarms':
        return world?.alarmLines.putBack(message.lines)
      case 'faults':
        for (const listener of heard.faults) listener(message)
    }
  }
  process.on('message', (message) => void hear(message as ToWorker))
  cluster.worker?.on('disconnect', () => {
    // Else Node ends this process at once, with calls under way.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
    end.resolve('orphaned')
    gone.resolve()
  })
  void tell({ say: 'hello' })

  const tellOthers = telling()
  return {
    post: post.promise,
    end: end.promise,
    tell,
    tellLast: async () => tell({ say: 'counted', ask: null, part: await count('process').catch(() => []) }),
    memberAt: (at) => ({
      post: at,
      letGo: async () => {
        await tell({ say: 'let go' })
        await gone.promise
      },
      together: { metricsText },
      bus: { processes: at.processes, tell: tellOthers, hear: (listener) => void heard.told.push(listener) },
      faults: { tell: (changed) => void tell(changed), hear: (listener) => void heard.faults.push(listener) },
      joins(joined) {
        world = joined
        const { own, ofDatabase } = readAtScrape(joined)
        const registries = [joined.metrics.registry, own]
        count = (of) => (of === 'process' ? partOf(...registries) : partOf(...registries, ofDatabase))
      },
    }),
  }
}

/** Asks the parent for the metrics of all processes. */
function asking() {
  const waiting = new Map<number, (text: string | null) => void>()
  let asked = 0
  return {
    scraped: ({ ask, text }: { ask: number; text: string | null }): void => waiting.get(ask)?.(text),
    async metricsText(): Promise<string> {
      asked += 1
      const ask = asked
      const told = new Promise<string | null>((resolve) => waiting.set(ask, resolve))
      await tell({ say: 'scrape', ask })
      const text = await told
      waiting.delete(ask)
      if (text === null) throw new Error('the metrics of all processes could not be read')
      return text
    },
  }
}

function once<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {}
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** A parent that has died hears nothing more; `end` says so. */
const tell = (message: FromWorker): Promise<void> =>
  new Promise((resolve) => {
    if (!process.connected) return resolve()
    process.send?.(message, undefined, undefined, () => resolve())
  })

/** What a worker has to tell the others in one turn of its event loop goes out as one message. */
function telling(): Bus['tell'] {
  let waiting: Told[] = []
  const flush = (): void => {
    void tell({ say: 'told', told: waiting })
    waiting = []
  }
  return (told) => {
    if (waiting.length === 0) setImmediate(flush)
    waiting.push(told)
  }
}
