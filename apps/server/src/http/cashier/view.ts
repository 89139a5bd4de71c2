/** What a payer is told of an order: one word for where it stands, and what the page needs to draw it. */
import { type Channel, INSTALLED, NEEDS_PAYER, type PayMethod } from '@acopay/channels'
import { fen, formatYuan, stateAt } from '@acopay/core'
import type { PayerView } from '@acopay/protocol'
import type { CashierApp, CashierView } from '@acopay/store/read'
import type { World } from '../../world.ts'

/**
 * `open`: can be paid. `closing`: no payment can be started, and it is not known yet whether one was made. `returning` and
 * `returned`: closed, and money that came too late goes back, or has.
 */
export type Phase = PayerView['phase']

export type OfferedChannel = { channel: string; methods: string[] }

export function payerView(order: CashierView, now: Date): PayerView {
  const howItStands = order.stillOnTheWay > 0 ? 'returning' : 'returned'
  const back = order.goingBack === 0 ? null : howItStands
  const phase = phaseOf(order, back, now)
  return {
    transaction_no: order.transactionNo,
    merchant: order.merchant,
    description: order.description,
    amount: formatYuan(fen(order.amountFen)),
    phase,
    extra: phase === 'returning' || phase === 'returned' || phase === 'refunded' ? null : back,
    expires_at: order.timeExpire.toISOString(),
    paid_at: order.successTime?.toISOString() ?? null,
  }
}

function phaseOf(order: CashierView, back: 'returning' | 'returned' | null, now: Date): Phase {
  const { state, closeReason } = stateAt({ ...order, expiresAtMs: order.timeExpire.getTime() }, now.getTime())
  switch (state) {
    case 'NOTPAY':
      return 'open'
    case 'CLOSING':
      return 'closing'
    case 'SUCCESS':
      return 'paid'
    case 'REFUND':
      return 'refunded'
    case 'CLOSED':
      return back ?? (closeReason === 'EXPIRED' ? 'expired' : 'closed')
  }
}

/** What a page can start: apps and mini-programs are not pages, and who needs to be known must be able to say who they are. */
const isOnAPage = (method: PayMethod, channel: Channel): boolean =>
  method !== 'app' && method !== 'mini' && (!NEEDS_PAYER.has(method) || channel.signIn !== null)

/** The channels that this merchant has an account with and the order's app offers, and the ways a page can start them. */
export async function offeredChannels(
  world: World,
  mchNo: string,
  ofApp: CashierApp['channels'],
): Promise<OfferedChannel[]> {
  const names = Object.keys(INSTALLED).filter((name) => ofApp?.includes(name) ?? true)
  const channels = await Promise.all(names.map((name) => world.channelOf(mchNo, name)))
  return names.flatMap((channel, index) => {
    const made = channels[index] ?? null
    const methods = made === null ? [] : made.methods.filter((method) => isOnAPage(method, made))
    return methods.length === 0 ? [] : [{ channel, methods }]
  })
}
