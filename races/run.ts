/** One run: a house of gateways, a merchant, all plans played, rest waited for, everything judged. */
import { setTimeout as pause } from 'node:timers/promises'
import { privateKeyFrom, publicKeyFrom } from '@acopay/protocol'
import { type Client, signIn } from './client.ts'
import { diceOf } from './dice.ts'
import { type House, openHouse } from './house.ts'
import type { ChannelName, Plan } from './plan.ts'
import { play } from './play.ts'
import { type Pulse, startPulse } from './pulse.ts'
import { openReceiver, type Receiver, type Told } from './receiver.ts'
import type { Fact, OrderRecord, Violation } from './record.ts'
import { type Judged, judgeAtRest } from './rest.ts'
import { stateOf, storyViolations } from './rules.ts'
import { CALM, type Weather } from './weather.ts'

/** Orders that are played under one weather. */
export type Stage = {
  plans: Plan[]
  weatherAt: (gateway: number, channel: ChannelName) => Weather
  /** Nothing is in motion when it ends. */
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
  say: (line: string) => void
  /** As soon as it is seen; at rest the rest is judged. */
  found?: (record: OrderRecord, violation: Violation) => void
}

export type Outcome = Judged & {
  weathers: Map<string, number>
  slowestCloseMs: number
  unoffered: string[]
  tookMs: number
}

/** What all parts of a run know. */
export type Room = RunOptions & {
  house: House
  client: Client
  receiver: Receiver
  records: OrderRecord[]
  startedMs: number
  /** What this gateway's sandbox does not offer, or what was not looked at. */
  unoffered: Set<string>
}

const PROGRESS_MS = 5_000
/** Orders whose late events are still to come do not pile up for ever. */
const IN_MOTION_MAX = 400

export async function run(options: RunOptions): Promise<Outcome> {
  const broken: string[] = []
  const house = await openHouse({
    ...{ gateways: options.gateways, dir: options.dir, died: (what) => void broken.push(what) },
    env: options.isKilled ? SHORT_LEASES : {},
  })
  let receiver: Receiver | null = null
  let pulse: Pulse | null = null
  try {
    const { demo } = house
    const byOrder = new Map<number, OrderRecord>()
    const platformKey = publicKeyFrom(demo.platformPublicKey)
    receiver = await openReceiver({
      seed: options.seed,
      platformKey,
      told: (told) => hear(byOrder.get(told.order), told),
    })
    pulse = startPulse(house.gateway)
    const client: Client = {
      ...{ mchNo: demo.mchNo, appNo: demo.appNo, privateKey: privateKeyFrom(demo.mchPrivateKey), platformKey },
      ...{ gateway: house.gateway, isKilled: options.isKilled, console: null, trouble: () => {}, pulse },
    }
    await signIn(client, house.users.find(({ role }) => role === 'operator') ?? { username: '', password: '' })
    const room: Room = {
      ...{ ...options, house, client, receiver, records: [], startedMs: Date.now(), unoffered: new Set<string>() },
    }
    const weathers = await playAll(room, byOrder)
    if (broken.length > 0) throw new Error(broken.join('\n'))
    const judged = await judgeAtRest(room)
    if (broken.length > 0) throw new Error(broken.join('\n'))
    const tookMs = Date.now() - room.startedMs
    if (pulse.excused > 0) {
      const busy = `the machine is busy, a gateway took up to ${pulse.slowestMs()} ms to say that it lives`
      room.unoffered.add(`${pulse.excused} answers that came after more than 10 s: ${busy}`)
    }
    return { ...judged, weathers, slowestCloseMs: slowestClose(room.records), unoffered: [...room.unoffered], tookMs }
  } finally {
    pulse?.stop()
    await receiver?.stop()
    await house.stop()
  }
}

/** Where processes die, what they held comes free soon. */
const SHORT_LEASES = { ACOPAY_LEASE_MS: '6000', ACOPAY_CLOSE_BUDGET_MS: '3000', ACOPAY_CHANNEL_CALL_MS: '1000' }

async function playAll(room: Room, byOrder: Map<number, OrderRecord>): Promise<Map<string, number>> {
  const { stages, atOnce, isKilled, client, house, receiver, records, say, found } = room
  const total = stages.reduce((sum, { plans }) => sum + plans.length, 0)
  const run = room.startedMs.toString(36)
  const weathers = new Map<string, number>()
  const inMotion = new Set<Promise<void>>()
  let violations = 0
  const one = async (plan: Plan): Promise<void> => {
    const id = records.length
    const playing = play(client, plan, { run: `${run}-${id}`, notifyUrl: receiver.url(plan.mood, id) })
    byOrder.set(id, playing.record)
    records.push(playing.record)
    const done = playing.done.then(() => {
      inMotion.delete(done)
      for (const violation of storyViolations(playing.record)) {
        violations += 1
        found?.(playing.record, violation)
      }
    })
    inMotion.add(done)
    // Orders that wait for their expiry wait beside the others.
    await playing.hot
    while (inMotion.size > IN_MOTION_MAX) await Promise.race(inMotion)
  }
  const progress = setInterval(() => {
    say(
      `${records.length} / ${total} played, ${inMotion.size} in motion; ${statesOf(records)}; violations ${violations}`,
    )
  }, PROGRESS_MS)
  const killer = isKilled ? startKiller(room) : null
  try {
    for (const { plans, weatherAt, isApart } of stages) {
      await house.setWeather(weatherAt)
      for (const channel of ['wechat', 'alipay'] as const) count(weathers, `${channel} ${weatherAt(0, channel).name}`)
      const waiting = [...plans]
      const lane = async (): Promise<void> => {
        for (let plan = waiting.shift(); plan !== undefined; plan = waiting.shift()) await one(plan)
      }
      await Promise.all(Array.from({ length: atOnce }, lane))
      if (isApart) await Promise.all(inMotion)
    }
    await killer?.stop()
    await Promise.all(inMotion)
  } finally {
    clearInterval(progress)
    await killer?.stop()
  }
  await house.setWeather(() => CALM)
  await receiver.recover()
  return weathers
}

const count = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1)

/** `kill -9` of a gateway, of the database, of all, a few seconds after everything stands again. */
function startKiller({ seed, gateways, house, say }: Room) {
  const dice = diceOf(seed, 'kills')
  const over = new AbortController()
  const killing = (async () => {
    while (!over.signal.aborted) {
      await pause(dice.between(1_500, 6_000), undefined, { signal: over.signal }).catch(() => {})
      if (over.signal.aborted) return
      if (!house.isWhole()) continue
      const what = dice.pick(['gateway', 'gateway', 'gateway', 'database', 'everything'])
      const all = Array.from({ length: gateways }, (_, index) => index)
      const dying = what === 'gateway' ? [dice.between(0, gateways - 1)] : what === 'database' ? [] : all
      say(`kill -9: ${what}${what === 'gateway' ? ` ${(dying[0] ?? 0) + 1}` : ''}`)
      house.kill({ gateways: dying, database: what !== 'gateway' })
    }
  })()
  return {
    stop: async (): Promise<void> => {
      over.abort()
      await killing
    },
  }
}

/** A notification becomes a fact of its order. */
function hear(record: OrderRecord | undefined, { atMs, isSigned, body, answer }: Told): void {
  if (record === undefined) return
  const { code, refund_amount, mch_refund_no } = body
  const isRefund = typeof mch_refund_no === 'string'
  const fact: Fact = {
    ...{ column: isRefund ? 'told_refund' : 'told_payment', word: code ?? '', sentMs: atMs, knownMs: atMs },
    ...(isRefund ? { refund: mch_refund_no, fen: Math.round(Number(refund_amount) * 100) } : {}),
    note: contentOf(body),
  }
  record.facts.push(isSigned ? fact : { ...fact, column: 'trouble', word: 'a notification with a wrong signature' })
  if (answer !== 'heard') fact.answered = answer
}

/** Without what each delivery has anew. */
const contentOf = ({ nonce, sign, notify_time, ...rest }: Told['body']): string =>
  JSON.stringify(rest, Object.keys(rest).sort())

export function statesOf(records: OrderRecord[]): string {
  const counts = new Map<string, number>()
  for (const record of records) count(counts, stateOf(record) || 'not asked yet')
  return [...counts].map(([state, times]) => `${state} ${times}`).join(', ')
}

const slowestClose = (records: OrderRecord[]): number =>
  Math.max(
    0,
    ...records.map(({ facts }) =>
      Math.max(
        0,
        ...facts.map(({ column, sentMs, knownMs }) => (column === 'close' && knownMs !== null ? knownMs - sentMs : 0)),
      ),
    ),
  )
