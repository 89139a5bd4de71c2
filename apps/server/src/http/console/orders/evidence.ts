/** Evidence about an order, as a file to hand on. */
import { storyOf } from '@acopay/protocol/console'
import { orderEvidence } from '../../../actions/order/order-evidence.ts'
import type { World } from '../../../world.ts'
import { ABSENT, type ConsoleCall, type ConsoleEndpoint, type ConsoleFile, Failed, failed } from '../call.ts'
import { evidencePage } from './evidence-page.ts'
import { orderDetail } from './orders.ts'

async function evidenceFile(world: World, call: ConsoleCall): Promise<ConsoleFile | Failed> {
  const order = await orderDetail(world, call)
  if (order instanceof Failed) return order
  const evidence = await orderEvidence(world, { mchNo: order.mch_no, transactionNo: order.transaction_no })
  if (evidence === null) return ABSENT()
  if (evidence === 'nothing') return NOTHING()
  const page = evidencePage(evidence, storyOf(order))
  return { file: `${order.transaction_no}.html`, contentType: 'text/html; charset=utf-8', chunks: once(page) }
}

const NOTHING = () =>
  failed(
    'CONFLICT',
    '订单未关闭，也没有退回的款项，没有凭证',
    'The order is not closed and no money was sent back: there is nothing to prove',
  )

async function* once(text: string): AsyncGenerator<string> {
  yield text
}

export const evidenceEndpoints: ConsoleEndpoint[] = [
  {
    method: 'GET',
    path: 'orders/:mch_no/:transaction_no/evidence.html',
    permission: 'orders.read',
    handle: evidenceFile,
  },
]
