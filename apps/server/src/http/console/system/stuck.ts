/** From when on something counts as stuck, the same for the overview and every list; and the list of stuck jobs. */
import { JOB_KINDS } from '@acopay/core'
import type { StuckJobList } from '@acopay/protocol/console'
import { type JobPlace, listStuckJobs } from '@acopay/store/read'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, merchantOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { PLACE_MAX, pageOf, placeParts, placeText } from '../places.ts'

/** States that should pass in seconds count as stuck after this long. The pages say "10 minutes". */
const STUCK_MS = 10 * 60_000

export const stuckBefore = (now: Date): Date => new Date(now.getTime() - STUCK_MS)

function jobPlace(text: string): JobPlace | null {
  const [created = '', mchNo = '', word, subject] = placeParts(text, 4) ?? []
  const createdAt = fieldsOf({ created }).time('created')
  const kind = JOB_KINDS.find((one) => one === word)
  if (createdAt === null || kind === undefined || subject === undefined) return null
  return { createdAt, mchNo, kind, subject }
}

async function jobs(world: World, { caller, query }: ConsoleCall): Promise<StuckJobList | Failed> {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const asked = read.text('after', PLACE_MAX)
  const after = asked === null ? null : jobPlace(asked)
  if (asked !== null && after === null) read.say('after', '应为上一页的 next', 'should be the next of the page before')
  const limit = read.limit()
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const found = await listStuckJobs(world.pool, { mchNo, after }, stuckBefore(world.now()), limit + 1)
  const { rows, next } = pageOf(found, limit, (one) =>
    placeText([one.createdAt.toISOString(), one.mchNo, one.kind, one.subject]),
  )
  return { rows: rows.map(rowOf), next }
}

const rowOf = (one: Awaited<ReturnType<typeof listStuckJobs>>[number]): StuckJobList['rows'][number] => ({
  mch_no: one.mchNo,
  kind: one.kind,
  subject: one.subject,
  transaction_no: one.transactionNo,
  tries: one.tries,
  due_at: one.dueAt.toISOString(),
  created_at: one.createdAt.toISOString(),
})

export const stuckEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'jobs', permission: 'orders.read', handle: jobs },
]
