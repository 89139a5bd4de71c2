/** What a merchant is told of an order that is not in the tables: that there is none, or that its rows were archived. */
import type { OrderRef, RefundRef } from '@acopay/core'
import { type Refusal, refuse } from '@acopay/protocol'
import { type ArchivedOrder, findArchivedOrder, findArchivedRefund } from '@acopay/store/read'
import type { World } from '../../world.ts'

export async function absentOrder({ pool }: Pick<World, 'pool'>, mchNo: string, ref: OrderRef): Promise<Refusal> {
  const archived = await findArchivedOrder(pool, mchNo, ref)
  return archived === null ? refuse('ORDER_NOT_EXIST') : archivedRefusal(archived)
}

export async function absentRefund({ pool }: Pick<World, 'pool'>, mchNo: string, ref: RefundRef): Promise<Refusal> {
  const archived = await findArchivedRefund(pool, mchNo, ref)
  return archived === null ? refuse('REFUND_NOT_EXIST') : archivedRefusal(archived)
}

/** The month that its file is named by, how the order ended, and what to do. */
const archivedRefusal = ({ archiveNo, state }: ArchivedOrder): Refusal =>
  refuse('ORDER_STATE_ERROR', `订单已归档(${archiveNo.slice(0, 7)})，终态${state}，请联系网关运营方恢复`)
