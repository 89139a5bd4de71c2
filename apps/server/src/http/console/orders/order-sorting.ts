/** The places and the rules of lists of orders that are sorted by something else than the newest first. */
import { listOrdersSorted, type OrderListFilter, type OrderSort, type SortedPlace } from '@acopay/store/read'
import type { World } from '../../../world.ts'
import { type Failed, failed } from '../call.ts'

/** Of orders by amount a page looks at so many: they lie apart from each other on disk. */
const BY_AMOUNT_MAX = 5000

/** `after`: the `next` of the page before. */
type Asked = { filter: OrderListFilter & { limit: number }; sort: OrderSort; after: string | null; examined: number }

export async function sortedOrders(world: World, { filter, sort, after, examined }: Asked) {
  const wrong = whyNot(filter, sort)
  if (wrong !== null) return wrong
  const place = after === null ? null : placeIn(after)
  if (after !== null && place === null) return NO_PLACE()
  const most = sort === 'oldest' ? examined : Math.min(examined, BY_AMOUNT_MAX)
  const { orders, next } = await listOrdersSorted(world.pool, { filter, sort, after: place }, filter.limit, most)
  return { orders, next: next === null ? null : `${next.fen}_${next.transactionNo}` }
}

/** By amount there are the paid orders of one merchant: those that the index holds. */
function whyNot({ mchNo, state, stuckBefore = null }: OrderListFilter, sort: OrderSort): Failed | null {
  if (stuckBefore !== null) return say('state', '停留的订单不能另外排序', 'of stuck orders cannot be sorted')
  if (sort === 'oldest') return null
  if (mchNo === null) return say('sort', '按金额排序须先选一个商户', 'by amount needs one merchant')
  const isPaid = state === null || state === 'SUCCESS' || state === 'REFUND'
  return isPaid ? null : say('sort', '按金额排序只列已支付的订单', 'by amount lists paid orders only')
}

const say = (field: string, zh: string, en: string): Failed =>
  failed('FIELD_INVALID', `${field} ${zh}`, `${field} ${en}`, { field })

const NO_PLACE = () => say('after', '应为上一页的 next', 'should be the next of the page before')

function placeIn(text: string): SortedPlace | null {
  const found = /^(\d{1,18})_([0-9A-Za-z_-]{1,38})$/.exec(text)
  return found === null ? null : { fen: BigInt(found[1] ?? ''), transactionNo: found[2] ?? '' }
}
