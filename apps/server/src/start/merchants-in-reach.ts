/**
 * Lists over all merchants where the database has several nodes. Such a list fails while one node does not answer; then it is asked for once
 * more over the merchants whose rows lie on the others, and so are the next ones, until all nodes answer again.
 */
import type { Answering, GroupOf, Reach } from '@acopay/store'
import type { OverAll, World } from '../world.ts'

/** What a look found counts for this long. So the merchants of a node that is back wait this long at most, as do new merchants on the others. */
const AGAIN_MS = 5000

type Parts = Pick<World, 'log' | 'steadyMs'> & { read: () => Promise<Answering>; groupOf: GroupOf }

export function listsInReach({ read, steadyMs, log, groupOf }: Parts): OverAll {
  let reach: Reach = null
  let silent = ''
  let readMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null

  async function look(): Promise<void> {
    readMs = steadyMs()
    const found = await read()
    tell(found)
    reach = found.silent.length === 0 ? null : found.mchNos
  }

  /** Lists that fail at the same time share one look, so that only one statement waits for the node that does not answer. */
  function lookTogether(): Promise<void> {
    // Where not even that can be read, the lists say why.
    reading ??= look()
      .catch(() => {})
      .finally(() => {
        reading = null
      })
    return reading
  }

  function tell({ silent: nodes }: Answering): void {
    const now = nodes.join(', ')
    if (now === silent) return
    silent = now
    if (now === '') log.warn('all nodes of the database answer again')
    else log.error({ nodes, alarm: true }, 'nodes of the database do not answer: their merchants wait')
  }

  const isOld = (): boolean => steadyMs() - readMs >= AGAIN_MS

  return async (list) => {
    const asked = reach
    // Beside the lists: the others' work does not wait for a node that may answer or not.
    if (asked !== null && isOld()) void lookTogether()
    try {
      return await list({ groupOf, reach: asked })
    } catch (error) {
      if (reach === asked && (reading !== null || isOld())) await lookTogether()
      if (reach === asked) throw error
      return list({ groupOf, reach })
    }
  }
}
