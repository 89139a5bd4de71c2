/** What the commands about archived months work with. */
import type { Pool } from '@acopay/store'
import type { ProvenKey, SigningKey } from '../../security/platform-key.ts'
import type { Stamps } from '../../security/stamps.ts'
import type { MasterKeys } from '../../security/vault.ts'

export type MonthTools = {
  pool: Pool
  master: MasterKeys
  stamps: Stamps
  /** Signs manifests. */
  key: SigningKey
  /** Every platform key that there ever was. */
  keys: ProvenKey[]
  /** By the gateways' clock. */
  now: Date
  say: (line: string) => void
  /** Called at each step after which the process may end; a test ends it there. */
  step: (name: string) => void
  /** Orders of one part. */
  partOrders: number
}

const SAY_EVERY_MS = 5000

/** Says how far it is, at most every few seconds. */
export function progressOf(say: MonthTools['say'], what: string, total: bigint | number): (orders: number) => void {
  let saidAtMs = performance.now()
  return (orders) => {
    if (performance.now() - saidAtMs < SAY_EVERY_MS) return
    saidAtMs = performance.now()
    const share = Number(total) === 0 ? 100 : Math.floor((orders * 100) / Number(total))
    say(`${what}: ${orders}/${total} 单 orders, ${share}%`)
  }
}
