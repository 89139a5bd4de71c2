/** Many connections that live stories of orders at a pace, or as fast as they can. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Connection, openConnection } from '../connection.ts'
import type { Stack } from '../stack/stack.ts'
import { type Story, story } from './story.ts'

/** `perSecond` null: as fast as answers come. */
export type Pace = { forMs: number; perSecond: number | null }

export type Ran = { seconds: number; millis: number[]; failures: number; firstFailure: string | null }

export type Crowd = { run: (pace: Pace) => Promise<Ran>; end: () => void }

type Lane = { story: Story; gateway: Connection; payers: Connection; at: number }

export async function openCrowd(stack: Stack, gateways: string[], connections: number): Promise<Crowd> {
  const { outside, merchants } = stack
  const lanes = await Promise.all(
    Array.from(
      { length: connections },
      async (_, index): Promise<Lane> => ({
        story: story(merchants, outside, { turn: index, every: connections }),
        gateway: await openConnection(gateways[index % gateways.length] ?? ''),
        payers: await openConnection(outside.payers),
        at: index / connections,
      }),
    ),
  )
  return {
    async run(pace) {
      const ran: Ran = { seconds: 0, millis: [], failures: 0, firstFailure: null }
      const start = performance.now()
      await Promise.all(lanes.map((lane) => live(lane, { ...pace, start, lanes: connections }, ran)))
      ran.seconds = (performance.now() - start) / 1000
      return ran
    },
    end() {
      for (const { gateway, payers } of lanes) for (const one of [gateway, payers]) one.end()
    },
  }
}

type Living = Pace & { start: number; lanes: number }

/** A request that comes late counts from the moment at which it was due: who waits for a slow gateway is not left out. */
async function live(lane: Lane, { forMs, perSecond, start, lanes }: Living, ran: Ran): Promise<void> {
  const everyMs = perSecond === null ? 0 : (1000 * lanes) / perSecond
  for (let turn = 0; ; turn += 1) {
    const due = start + (turn + lane.at) * everyMs
    if (Math.max(due, performance.now()) >= start + forMs) return
    const call = await lane.story.next()
    const early = due - performance.now()
    if (everyMs > 0 && early > 0) await pause(early)
    const from = everyMs > 0 ? due : performance.now()
    const answer = await (call.to === 'payers' ? lane.payers : lane.gateway)
      .ask(call.request)
      .catch((error: Error) => error.message)
    ran.millis.push(performance.now() - from)
    if (answer.includes(call.expects)) lane.story.heard(answer)
    else {
      ran.failures += 1
      ran.firstFailure ??= `not ${call.expects}: ${answer}`
      lane.story.giveUp()
    }
  }
}
