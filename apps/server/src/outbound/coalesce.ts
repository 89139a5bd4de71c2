/**
 * Callers who ask at the same time share one statement. While `inFlightMax` statements run, further callers wait and share the
 * next one. So every statement begins after its callers have asked, and no caller gets data that was read before its call.
 */
import type { GroupOf } from '@acopay/store'
import { type Along, along, inSharedSpan } from '../tracing/along.ts'

/** Two statements at a time leave connections for other work, and are enough to keep the database busy. */
export const STATEMENTS_AT_ONCE = 2

export type CoalesceOptions<Ask, Answer> = {
  /** Of what they share, in metrics and traces. */
  name: string
  /** Returns an answer for each ask, in the same order. */
  run: (key: string, asks: Ask[]) => Promise<Answer[]>
  inFlightMax: number
  sizeMax: number
  /** Is told how many share each statement. */
  onBatch?: (name: string, size: number) => void
}

type Waiting<Ask, Answer> = {
  ask: Ask
  caller: Along | undefined
  resolve: (answer: Answer) => void
  reject: (error: unknown) => void
}
type Queue<Ask, Answer> = { waiting: Waiting<Ask, Answer>[]; inFlight: number }

export const ONE_GROUP: GroupOf = () => 'all'

export function coalesced<Ask, Answer>(
  options: CoalesceOptions<Ask, Answer>,
): (key: string, ask: Ask) => Promise<Answer> {
  const queues = new Map<string, Queue<Ask, Answer>>()

  async function drain(key: string, queue: Queue<Ask, Answer>): Promise<void> {
    queue.inFlight += 1
    const batch = queue.waiting.splice(0, options.sizeMax)
    options.onBatch?.(options.name, batch.length)
    try {
      const asks = batch.map(({ ask }) => ask)
      const callers = batch.map(({ caller }) => caller)
      const answers = await inSharedSpan(options.name, callers, () => options.run(key, asks))
      batch.forEach(({ resolve }, index) => {
        resolve(answers[index] as Answer)
      })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    queue.inFlight -= 1
    if (queue.waiting.length > 0) void drain(key, queue)
    else if (queue.inFlight === 0) queues.delete(key)
  }

  return (key, ask) =>
    new Promise((resolve, reject) => {
      const queue = queues.get(key) ?? { waiting: [], inFlight: 0 }
      queues.set(key, queue)
      queue.waiting.push({ ask, caller: along(), resolve, reject })
      if (queue.inFlight < options.inFlightMax) void drain(key, queue)
    })
}
