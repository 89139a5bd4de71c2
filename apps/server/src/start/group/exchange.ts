/** What the workers of a group hear from each other by way of their parent, and tell it. */
import type { Registry } from 'prom-client'
import type { AlarmLine } from '../../metrics/alarm-lines.ts'
import type { FaultShare, SharedFaults } from '../../sandbox/shared-faults.ts'
import type { World } from '../../world.ts'
import type { Bus } from '../telling.ts'
import { groupScrape } from './group-scrape.ts'
import type { FromWorker, Post, ToWorker } from './messages.ts'
import { forkWorker, type WorkerPort } from './worker-port.ts'

/** `installation`: other gateways on the same database. */
type Parts = { own: Registry; sleep: World['sleep']; tellGone: (error: Error) => void; installation: Bus }

export type Exchange = {
  fork: (post: Post, threads: number) => WorkerPort
  metricsText: () => Promise<string>
  /** The parent's own end of the faults of the sandbox's upstreams. */
  faults: FaultShare
  /** Has one worker tell these alarms; false where none serves. */
  passOn: (lines: AlarmLine[]) => boolean
}

export function exchangeOf({ own, sleep, tellGone, installation }: Parts): Exchange {
  const ports = new Set<WorkerPort>()
  const faultListeners: ((changed: SharedFaults) => void)[] = []
  const scrape = groupScrape(own, sleep)
  const listening = (): WorkerPort[] => [...ports].filter((port) => port.isListening())
  const metricsText = (): Promise<string> => scrape.text(listening())
  /** Also those that are starting: a limit that is reached shall hold there from the first call. */
  const toOthers = (from: WorkerPort | null, message: ToWorker): void => {
    for (const port of ports) if (port !== from) port.tell(message)
  }

  installation.hear((told) => toOthers(null, { say: 'told', told: [told] }))

  function hear(from: WorkerPort, message: FromWorker): void {
    switch (message.say) {
      case 'told':
        toOthers(from, message)
        for (const one of message.told) installation.tell(one)
        break
      case 'counted':
        scrape.counted(from, message)
        break
      case 'scrape':
        void metricsText()
          .catch(() => null)
          .then((text) => from.tell({ say: 'scraped', ask: message.ask, text }))
        break
      case 'faults':
        for (const listener of faultListeners) listener(message)
        toOthers(from, message)
        break
      case 'gone':
        tellGone(new Error(message.line))
        break
      case 'hello':
      case 'let go':
      case 'failed':
      case 'listening':
        break
    }
  }

  return {
    metricsText,
    fork(post, threads) {
      const port = forkWorker(post, threads, hear)
      ports.add(port)
      void port.ended.then(() => {
        ports.delete(port)
        return scrape.ended(port)
      })
      return port
    },
    faults: {
      tell: (changed) => toOthers(null, changed),
      hear: (listener) => void faultListeners.push(listener),
    },
    passOn(lines) {
      const [one] = listening()
      one?.tell({ say: 'alarms', lines })
      return one !== undefined
    },
  }
}
