/** The merchant's server, which may be slow or down, and the notifications that it has received. */
import type { OrderState, RefundState } from '@acopay/core'
import type { World } from '../../apps/server/src/world.ts'
import { random } from './random.ts'
import type { OwnFault, Scenario } from './scenario.ts'
import type { Process, Scheduler } from './scheduler.ts'
import type { Ledger } from './told.ts'

export type News = { transaction_no: string; refund_no?: string; code: string; refund_amount?: string }

type Parts = {
  isResting: () => boolean
  say: (line: string) => void
  broke: (what: string) => void
  count: (what: string) => void
  ledger: () => Ledger
}

export function merchantOf(schedule: Scheduler, plan: Scenario, { isResting, say, broke, count, ledger }: Parts) {
  const dice = random(plan.seed, 'merchant')
  const received: News[] = []
  const keyOf = ({ transaction_no, refund_no, code }: News): string => `${transaction_no} ${refund_no ?? ''} ${code}`
  const receive = (told: News): void => {
    say(`merchant is notified: ${'refund_no' in told ? 'refund' : 'payment'} ${told.code}`)
    const isLater = (other: News): boolean =>
      other.transaction_no === told.transaction_no && 'refund_no' in other && !('refund_no' in told)
    if (told.code === 'SUCCESS' && received.some(isLater)) broke('I5: a payment was notified after its refund')
    received.push(told)
    note(ledger(), told)
  }
  const isNow = (fault: OwnFault, probability: number): boolean =>
    !isResting() && plan.ownFaults.includes(fault) && dice.isOneIn(probability)
  const post =
    (process: Process): World['post'] =>
    (_url, body, signal) =>
      new Promise((resolve) => {
        const isSlow = isNow('merchant slow', 0.3)
        const isDown = isNow('merchant down', 0.5)
        if (isSlow) count('fault merchant slow × notification')
        if (isDown) count('fault merchant down × notification')
        signal.addEventListener('abort', () => resolve({ httpStatus: null, why: 'no answer in time' }))
        const refuse = (): void => resolve({ httpStatus: 503, reply: '' })
        const accept = (): void => {
          if (signal.aborted) return
          receive(JSON.parse(body) as News)
          resolve({ httpStatus: 200, reply: '{"status":"SUCCESS"}' })
        }
        schedule.at(schedule.nowMs() + dice.between(10, 200), null, () => {
          if (isDown) schedule.at(schedule.nowMs() + 5, process, refuse)
          else schedule.at(schedule.nowMs() + (isSlow ? dice.between(3000, 9000) : 20), process, accept)
        })
      })
  return {
    post,
    /** A notification that the books call delivered and that the merchant has not received. */
    missing(delivered: News[]): string | null {
      const known = new Set(received.map(keyOf))
      const lost = delivered.find((told) => !known.has(keyOf(told)))
      return lost === undefined ? null : `I5: ${keyOf(lost)} is marked as delivered, but the merchant never received it`
    },
  }
}

function note(ledger: Ledger, { transaction_no: no, refund_no: refundNo, code, refund_amount: yuan }: News): void {
  if (refundNo === undefined) ledger.paymentToldOf(no, code as OrderState)
  else ledger.refundSays(no, refundNo, BigInt((yuan ?? '').replace('.', '')), code as RefundState)
}
