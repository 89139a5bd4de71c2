/** The background work of one process: the worker and the notifier. */
import { onItsOwn } from '../tracing/along.ts'
import type { World } from '../world.ts'
import { lookout } from './lookout.ts'
import { notifier, startNotifier } from './notifier.ts'
import { runDueJobs, startWorker, type Worker } from './worker.ts'

/** Does what is due now, and waits until it is done. Returns how much that was. */
export type Round = () => Promise<number>

export type Crew = {
  /** Works from now on, until stopped. */
  start: () => void
  /** Stops the background work, lets `work` do its rounds by hand, and starts it again. */
  byHand: <Result>(work: (round: Round) => Promise<Result>) => Promise<Result>
  /** Waits for what is under way. */
  stop: () => Promise<void>
}

/** While nothing is due, it looks every `pauseMs`. */
export function crewOf(world: World, pauseMs: number): Crew {
  const nextLook = lookout(world, pauseMs)
  let working: Worker[] = []
  let isOn = false
  let last: Promise<unknown> = Promise.resolve()
  const begin = (): void => {
    if (isOn) working = onItsOwn(() => [startWorker(world, nextLook), startNotifier(world, nextLook)])
  }
  const end = async (): Promise<void> => {
    await Promise.all(working.map((work) => work.stop()))
  }
  return {
    start() {
      isOn = true
      begin()
    },
    byHand(work) {
      const done = last.then(async () => {
        await end()
        return work(roundsOf(world)).finally(begin)
      })
      last = done.catch(() => {})
      return done
    },
    async stop() {
      isOn = false
      await last
      await end()
    },
  }
}

function roundsOf(world: World): Round {
  const telling = notifier(world)
  return async () => {
    const [jobs, sent] = [await runDueJobs(world), await telling.sendDue()]
    await telling.settled()
    return jobs + sent
  }
}
