/** The gateway processes of a run: they start, die at any moment, and are started again. */
import type { Gateway } from './gateway.ts'
import type { Random } from './random.ts'
import type { RunRecord } from './record.ts'
import type { Process, Scheduler } from './scheduler.ts'

export function processesOf(
  schedule: Scheduler,
  record: RunRecord,
  chance: Random,
  gatewayNamed: (name: string) => Gateway,
) {
  const gateways: Gateway[] = []
  const start = (name: string): Gateway => {
    const gateway = gatewayNamed(name)
    gateways.push(gateway)
    return gateway
  }
  return {
    gateways,
    start,
    /** A random one of the processes that are alive; null if none is. */
    anyGateway(): Gateway | null {
      const alive = gateways.filter(({ process }) => process.isAlive)
      return alive.length === 0 ? null : chance.pick(alive)
    },
    /** A process dies. Another starts a while later. */
    crash(process: Process, restartMs: number): void {
      record.say(`${process.name}: crashes`)
      record.crashes += 1
      process.isAlive = false
      for (const broken of process.whenDead) broken()
      schedule.at(schedule.nowMs() + restartMs, null, () => {
        const name = `P${gateways.length + 1}`
        start(name)
        record.say(`${name}: starts`)
      })
    },
  }
}
