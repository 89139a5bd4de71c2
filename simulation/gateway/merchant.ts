/** The merchant's own server: up, slow or down, and what it has heard. */
import type { World } from '../../apps/server/src/world.ts'
import { random } from './random.ts'
import type { Scenario } from './scenario.ts'
import type { Process, Scheduler } from './scheduler.ts'

export type Told = { transaction_no: string; refund_no?: string; code: string }

export function merchantOf(
  schedule: Scheduler,
  plan: Scenario,
  isResting: () => boolean,
  say: (line: string) => void,
  broke: (what: string) => void,
  count: (what: string) => void,
) {
  const dice = random(plan.seed, 'merchant')
  const heard: Told[] = []
  const keyOf = ({ transaction_no, refund_no, code }: Told): string => `${transaction_no} ${refund_no ?? ''} ${code}`
  const post =
    (process: Process): World['post'] =>
    (_url, body, signal) =>
      new Promise((resolve) => {
        const told = JSON.parse(body) as Told
        const isSlow = !isResting() && plan.ownFaults.includes('merchant slow') && dice.isOneIn(0.3)
        const isDown = !isResting() && plan.ownFaults.includes('merchant down') && dice.isOneIn(0.5)
        if (isSlow) count('fault merchant slow × notify')
        if (isDown) count('fault merchant down × notify')
        signal.addEventListener('abort', () => resolve({ httpStatus: null, why: 'no answer in time' }))
        schedule.at(schedule.nowMs() + dice.between(10, 200), null, () => {
          if (isDown) {
            schedule.at(schedule.nowMs() + 5, process, () => resolve({ httpStatus: 503, reply: '' }))
            return
          }
          schedule.at(schedule.nowMs() + (isSlow ? dice.between(3000, 9000) : 20), process, () => {
            if (signal.aborted) return
            say(`merchant hears ${'refund_no' in told ? 'refund' : 'payment'} ${told.code}`)
            const isLater = (other: Told): boolean =>
              other.transaction_no === told.transaction_no && 'refund_no' in other && !('refund_no' in told)
            if (told.code === 'SUCCESS' && heard.some(isLater)) broke('I5: a payment was told of after its refund')
            heard.push(told)
            resolve({ httpStatus: 200, reply: '{"status":"SUCCESS"}' })
          })
        })
      })
  return {
    post,
    /** What is written down as delivered and was never heard. */
    missing(delivered: Told[]): string | null {
      const known = new Set(heard.map(keyOf))
      const lost = delivered.find((told) => !known.has(keyOf(told)))
      return lost === undefined ? null : `I5: ${keyOf(lost)} counts as delivered, and nobody heard it`
    },
  }
}
