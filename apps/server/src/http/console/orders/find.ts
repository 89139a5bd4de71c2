/** The search box of the header: one text, and everything that has it as a number, the beginning of one, an amount or a name. */
import { parseYuan } from '@acopay/core'
import type { ArchivedRow, Found } from '@acopay/protocol/console'
import {
  type FoundArchived,
  findArchivedByNumber,
  findOrdersByAmount,
  listMerchants,
  listNotifications,
  listRefunds,
  listReversals,
} from '@acopay/store/read'
import type { World } from '../../../world.ts'
import type { Caller, ConsoleCall, ConsoleEndpoint, Failed } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { merchantRow } from '../merchants/merchants.ts'
import { refundRow, reversalRow } from '../money/refunds-and-reversals.ts'
import { stuckBefore } from '../system/stuck.ts'
import { notificationRow } from './notifications.ts'
import { orderRow } from './orders.ts'
import { ordersOfNumber } from './orders-of-number.ts'

/** So many of each kind. */
const MOST = 6

async function find(world: World, { caller, query }: ConsoleCall): Promise<Found | Failed> {
  const read = fieldsOf(query)
  // Numbers are pasted with blanks in them.
  const text = read.needed('text', 64).replaceAll(/\s+/g, '')
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const { mchNo } = caller
  const now = world.now()
  const byNumber = await ordersOfNumber(world, text, mchNo, MOST)
  const amount = amountOf(text)
  const byAmount = amount === null ? [] : await findOrdersByAmount(world.pool, amount, mchNo, MOST)
  const { refunds, reversals } = await moneyBack(world, text, mchNo)
  const merchants = await listMerchants(world.pool, { mchNo, after: '', search: text }, now, MOST)
  const [one, ...others] = byNumber
  const heard = one === undefined || others.length > 0 ? [] : await notificationsOf(world, one)
  const archived = await findArchivedByNumber(world.pool, text, mchNo, MOST)
  return {
    orders: byNumber.map(orderRow),
    of_amount: byAmount.map(orderRow),
    refunds: refunds.map((row) => refundRow(row, now)),
    archived: archived.map((one) => archivedRow(one, caller)),
    reversals: reversals.map((row) => reversalRow(row, now)),
    notifications: heard.map(notificationRow),
    merchants: merchants.map(merchantRow),
  }
}

/** Only who sees every merchant is told where the gateway's files lie. */
const archivedRow = (one: FoundArchived, { mchNo }: Pick<Caller, 'mchNo'>): ArchivedRow => ({
  mch_no: one.mchNo,
  transaction_no: one.transactionNo,
  mch_trade_no: one.mchTradeNo,
  state: one.state,
  archive_no: one.archiveNo,
  month: one.archiveNo.slice(0, 7),
  file: mchNo === null ? one.file : null,
})

/** `12.5`, `12.50` or `¥12.50`; also whole yuan of at most six digits: longer ones are numbers of something. */
function amountOf(text: string): bigint | null {
  const [, whole = '', part = ''] = /^[¥￥]?(\d{1,6})(?:\.(\d{1,2}))?$/.exec(text) ?? []
  return whole === '' ? null : parseYuan(`${BigInt(whole)}.${part.padEnd(2, '0')}`)
}

async function moneyBack({ pool, now }: World, number: string, mchNo: string | null) {
  const nothing = {
    from: 'AR',
    before: 'AS',
    state: null,
    channel: null,
    appNo: null,
    amountMin: null,
    amountMax: null,
  }
  const filter = { ...nothing, mchNo, number, stuckBefore: stuckBefore(now()) }
  const refunds = await listRefunds(pool, filter, MOST, MOST)
  const reversals = await listReversals(pool, filter, MOST, MOST)
  return { refunds: refunds.rows, reversals: reversals.rows }
}

const notificationsOf = ({ pool }: World, { mchNo, transactionNo }: { mchNo: string; transactionNo: string }) =>
  listNotifications(pool, mchNo, { transactionNo, state: null, before: null }, MOST)

export const findEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'find', permission: 'orders.read', handle: find },
]
