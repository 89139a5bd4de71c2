/** Counts what a piece of work takes from every process that has to do with it. */
import { setTimeout as pause } from 'node:timers/promises'
import { machineMicros } from '../machine.ts'
import type { Database } from '../stack/database.ts'
import type { Gateways } from '../stack/gateways.ts'
import type { Stack } from '../stack/stack.ts'
import type { Prepared } from '../work/works.ts'
import type { Counted } from './line.ts'

/** What the processes say of themselves; a stack may lack gateways, as the peers' does. */
export type Watched = {
  database: Database
  cpuUs: () => number
  outsideUs: () => number
  delayMs: () => Promise<number>
}

export const watchedBy = ({ database, outside }: Stack, gateways: Gateways): Watched => ({
  database,
  cpuUs: gateways.cpuUs,
  outsideUs: outside.cpuUs,
  delayMs: gateways.delayMs,
})

export async function measured({ database, cpuUs, outsideUs, delayMs }: Watched, work: Prepared): Promise<Counted> {
  const transactions = await database.transactions()
  await delayMs()
  const before = await database.counted()
  const cpu = (): number[] => [cpuUs(), outsideUs(), ownMicros(), machineMicros()]
  const from = cpu()
  const done = await work()
  const to = cpu()
  const after = await database.counted()
  const [gateway = 0, outside = 0, ownUs = 0, machineUs = 0] = to.map((us, index) => us - (from[index] ?? 0))
  return {
    ...done,
    ...{ gatewayUs: gateway, outsideUs: outside, ownUs, machineUs },
    delayMs: await delayMs(),
    databaseUs: after.cpuUs - before.cpuUs,
    statements: after.statements - before.statements,
    walBytes: after.walBytes - before.walBytes,
    transactions: (await database.transactions()) - transactions,
  }
}

const LOOK_MS = 1000
const QUIET_LOOKS = 3
const QUIET_US = 100_000
const GIVE_UP_LOOKS = 600

/** Waits until these processes have taken less than a tenth of a core for three seconds: a start counts old hours, a load is vacuumed. */
export async function settled(cpuUs: (() => number)[]): Promise<void> {
  const used = (): number => cpuUs.reduce((sum, one) => sum + one(), 0)
  let [before, quiet] = [used(), 0]
  for (let look = 0; look < GIVE_UP_LOOKS && quiet < QUIET_LOOKS; look += 1) {
    await pause(LOOK_MS)
    const now = used()
    quiet = now - before < QUIET_US ? quiet + 1 : 0
    before = now
  }
}

function ownMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
