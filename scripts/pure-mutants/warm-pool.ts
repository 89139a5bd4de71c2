/**
 * A pool for vitest with one thread that lives on from mistake to mistake. Stryker's runner starts vitest anew for each, and nine
 * tenths of the work went into a thread that loads vitest again and makes RSA keys again.
 */
import path from 'node:path'
import { type PoolRunnerInitializer, type PoolWorker, ThreadsPoolWorker } from 'vitest/node'

type Options = ConstructorParameters<typeof ThreadsPoolWorker>[0]

/** The type of the error that stands for a test file that could not be read. It leaves nothing in the thread. */
export const UNFINISHED = 'Unfinished file'

/** Runs of a thread, after which a new one begins. */
const RUNS_MAX = 200

class Thread extends ThreadsPoolWorker {
  runs = 0
  override readonly entrypoint = path.join(import.meta.dirname, 'warm-worker.mjs')
}

let thread: Thread | null = null
/** Ends when no run uses the thread. Vitest begins a run without waiting for the end of the one before. */
let isFree: Promise<void> = Promise.resolve()

/** What vitest takes for a thread of its own: the thread for one run. */
class Turn implements PoolWorker {
  readonly name = 'warm'
  readonly #listeners: [string, (arg: unknown) => void][] = []
  readonly #options: Options
  #isWorn = false
  #release: () => void = () => {}

  constructor(options: Options) {
    this.#options = options
  }

  async start(): Promise<void> {
    const before = isFree
    isFree = new Promise((resolve) => {
      this.#release = resolve
    })
    await before
    if (thread === null) {
      thread = new Thread(this.#options)
      await thread.start()
    }
    thread.runs += 1
    this.on('message', (message) => {
      this.#isWorn ||= (message as { isWorn?: boolean }).isWorn === true
    })
  }

  on(event: string, callback: (arg: unknown) => void): void {
    this.#listeners.push([event, callback])
    thread?.on(event, callback)
  }

  off(event: string, callback: (arg: unknown) => void): void {
    thread?.off(event, callback)
  }

  send(message: Parameters<PoolWorker['send']>[0]): void {
    thread?.send(message)
  }

  deserialize(data: unknown): unknown {
    return data
  }

  /** The thread goes on, except where something of the run may be left in it. */
  async stop(): Promise<void> {
    for (const [event, callback] of this.#listeners) thread?.off(event, callback)
    const errors = [...this.#options.project.vitest.state.errorsSet] as { type?: string }[]
    const hasErred = errors.some(({ type }) => type !== UNFINISHED)
    if (thread !== null && (this.#isWorn || hasErred || thread.runs >= RUNS_MAX)) {
      await thread.stop()
      thread = null
    }
    this.#release()
  }
}

export const WARM_POOL: PoolRunnerInitializer = { name: 'warm', createPoolWorker: (options) => new Turn(options) }
