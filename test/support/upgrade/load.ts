/** Merchants who place, query and close orders by the SDK all the time, without ever trying a call again. */
import { setTimeout as pause } from 'node:timers/promises'
import { AcoPay, newTradeNo } from '@acopay/sdk'
import type { DemoSettings } from '../../../apps/server/src/sandbox/demo-merchant.ts'

export type Phase = {
  name: string
  calls: number
  failed: string[]
  slowestMs: number
  seconds: number
  allMs: number[]
}

export type Load = {
  /** What is counted from now on has this name. */
  begin: (name: string) => void
  /** Ends the load, and returns what was counted. */
  end: () => Promise<Phase[]>
}

/** Between the orders of one lane. */
const PAUSE_MS = 50

export function load(settings: DemoSettings, baseUrl: string, lanes: number): Load {
  const client = new AcoPay({ ...settings, baseUrl, tries: 1 })
  const phases: Phase[] = []
  let current: Phase | null = null
  let beganMs = performance.now()
  let isOver = false
  const endPhase = (): void => {
    if (current !== null) current.seconds = (performance.now() - beganMs) / 1000
  }
  /** A call counts for the phase in which it began. */
  async function counted(call: () => Promise<unknown>): Promise<void> {
    const phase = current as Phase
    const startedMs = performance.now()
    await call().catch((error: Error) => phase.failed.push(String(error)))
    const ms = performance.now() - startedMs
    phase.calls += 1
    phase.allMs.push(ms)
    phase.slowestMs = Math.max(phase.slowestMs, ms)
  }
  async function lane(): Promise<void> {
    while (!isOver) {
      const order = { mchTradeNo: newTradeNo(), description: '升级中的订单', amountTotal: '1.00' }
      await counted(() => client.placeOrder(order))
      await counted(() => client.queryOrder(order))
      await counted(async () => {
        const { outcome } = await client.closeOrder(order)
        if (outcome !== 'closed') throw new Error(`the close said ${outcome}`)
      })
      await pause(PAUSE_MS)
    }
  }
  let running: Promise<unknown> | null = null
  return {
    begin(name) {
      endPhase()
      current = { name, calls: 0, failed: [], slowestMs: 0, seconds: 0, allMs: [] }
      beganMs = performance.now()
      phases.push(current)
      running ??= Promise.all(Array.from({ length: lanes }, lane))
    },
    async end() {
      isOver = true
      await running
      endPhase()
      return phases
    },
  }
}
