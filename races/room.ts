/** The types of one run: its options, its outcome, and the room that its parts share. */
import type { Client } from './client.ts'
import type { House } from './house.ts'
import type { ChannelName, Plan } from './plan.ts'
import type { Receiver } from './receiver.ts'
import type { OrderRecord, Rest, Violation } from './record.ts'
import type { Weather } from './weather.ts'

/** Orders that are played under one weather. */
export type Stage = {
  plans: Plan[]
  weatherAt: (gateway: number, channel: ChannelName) => Weather
  /** The next stage begins only when every event of this one is over. */
  isApart: boolean
}

export type RunOptions = {
  seed: number
  stages: Stage[]
  gateways: number
  isKilled: boolean
  atOnce: number
  dir: string
  hasBill: boolean
  /** More settings of the gateways; with `DATABASE_URL` no PostgreSQL is started. */
  env?: Record<string, string>
  say: (line: string) => void
  /** Called for a violation as soon as an order's events are over; at rest all orders are judged again. */
  found?: (record: OrderRecord, violation: Violation) => void
}

export type Judged = {
  records: OrderRecord[]
  rests: Map<OrderRecord, Rest>
  violations: Map<OrderRecord, Violation[]>
}

export type Outcome = Judged & {
  weathers: Map<string, number>
  slowestCloseMs: number
  unoffered: string[]
  tookMs: number
}

export type Room = RunOptions & {
  house: House
  client: Client
  receiver: Receiver
  records: OrderRecord[]
  startedMs: number
  /** What this gateway's sandbox does not offer, and what the run could not judge. */
  unoffered: Set<string>
}
