/** Writes the log of merchants' calls, a batch each second, beside everything else. */
import { forgetOldCalls } from '../actions/calls/keep-calls.ts'
import type { World } from '../world.ts'
import type { Worker } from './worker.ts'

const WRITE_PAUSE_MS = 1000
const FORGET_PAUSE_MS = 60_000

export function startCallLogWriter(world: World): Worker {
  const stopping = new AbortController()
  let forgetAgainMs = 0
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await world.callLog.write()
      const nowMs = world.now().getTime()
      if (nowMs >= forgetAgainMs) {
        forgetAgainMs = nowMs + FORGET_PAUSE_MS
        await forgetOldCalls(world).catch((err: unknown) => world.log.warn({ err }, 'old calls not removed'))
      }
      await world.sleep(WRITE_PAUSE_MS, stopping.signal)
    }
    await world.callLog.write()
  }
  const working = work()
  return {
    stop: () => {
      stopping.abort()
      return working
    },
  }
}
