/** One run: starts the gateways and a merchant, plays all plans, waits for rest, and judges every order. */
import { privateKeyFrom, publicKeyFrom } from '@acopay/protocol'
import { type Client, signIn } from './client.ts'
import { type House, openHouse } from './house.ts'
import { startKiller } from './killer.ts'
import type { Plan } from './plan.ts'
import { play } from './play.ts'
import { type Pulse, startPulse } from './pulse.ts'
import { ACKNOWLEDGED, openReceiver, type Receiver, type Told } from './receiver.ts'
import type { Fact, OrderRecord } from './record.ts'
import { judgeAtRest } from './rest.ts'
import type { Outcome, Room, RunOptions, Stage } from './room.ts'
import { stateOf, storyViolations } from './rules.ts'
import { CALM } from './weather.ts'

const PROGRESS_MS = 5_000
/** At most so many orders wait for their later events at once. */
const IN_MOTION_MAX = 400

export async function run(options: RunOptions): Promise<Outcome> {
  const broken: string[] = []
  const house = await openHouse({
    gateways: options.gateways,
    dir: options.dir,
    died: (what) => void broken.push(what),
    env: { ...(options.isKilled ? SHORT_LEASES : {}), ...options.env },
  })
  let receiver: Receiver | null = null
  let pulse: Pulse | null = null
  try {
    const byOrder = new Map<number, OrderRecord>()
    receiver = await openReceiver({
      seed: options.seed,
      platformKey: publicKeyFrom(house.demo.platformPublicKey),
      told: (told) => recordNotification(byOrder.get(told.order), told),
    })
    pulse = startPulse(house.gateway)
    const client = await openClient(house, { pulse, isKilled: options.isKilled })
    const room: Room = {
      ...options,
      house,
      client,
      receiver,
      records: [],
      startedMs: Date.now(),
      unoffered: new Set<string>(),
    }
    const weathers = await playAll(room, byOrder)
    if (broken.length > 0) throw new Error(broken.join('\n'))
    const judged = await judgeAtRest(room)
    if (broken.length > 0) throw new Error(broken.join('\n'))
    const tookMs = Date.now() - room.startedMs
    if (pulse.excused > 0) {
      const busy = `the machine is busy, a gateway took up to ${pulse.slowestMs()} ms to answer a health check`
      room.unoffered.add(`${pulse.excused} answers that came after more than 10 s: ${busy}`)
    }
    return { ...judged, weathers, slowestCloseMs: slowestClose(room.records), unoffered: [...room.unoffered], tookMs }
  } finally {
    pulse?.stop()
    await receiver?.stop()
    await house.stop()
  }
}

/** For runs that kill processes: another process gets the killed process's leases soon. */
const SHORT_LEASES = { ACOPAY_LEASE_MS: '6000', ACOPAY_CLOSE_BUDGET_MS: '3000', ACOPAY_CHANNEL_CALL_MS: '1000' }

/** The demo merchant, with an operator signed in at the console. */
async function openClient(house: House, { pulse, isKilled }: Pick<Client, 'pulse' | 'isKilled'>): Promise<Client> {
  const { demo, users, gateway } = house
  const client: Client = {
    mchNo: demo.mchNo,
    appNo: demo.appNo,
    privateKey: privateKeyFrom(demo.mchPrivateKey),
    platformKey: publicKeyFrom(demo.platformPublicKey),
    gateway,
    isKilled,
    console: null,
    trouble: () => {},
    pulse,
  }
  await signIn(client, users.find(({ role }) => role === 'operator') ?? { username: '', password: '' })
  return client
}

async function playAll(room: Room, byOrder: Map<number, OrderRecord>): Promise<Map<string, number>> {
  const { stages, isKilled, house, receiver, records, say } = room
  const total = stages.reduce((sum, { plans }) => sum + plans.length, 0)
  const weathers = new Map<string, number>()
  const playing = playerOf(room, byOrder)
  const progress = setInterval(() => {
    const counts = `${records.length} / ${total} played, ${playing.inMotion.size} in motion`
    say(`${counts}; ${statesOf(records)}; violations ${playing.violations()}`)
  }, PROGRESS_MS)
  const killer = isKilled ? startKiller(room) : null
  try {
    for (const stage of stages) {
      await house.setWeather(stage.weatherAt)
      for (const channel of ['wechat', 'alipay'] as const) {
        count(weathers, `${channel} ${stage.weatherAt(0, channel).name}`)
      }
      await playStage(room, stage, playing)
    }
    await killer?.stop()
    await Promise.all(playing.inMotion)
  } finally {
    clearInterval(progress)
    await killer?.stop()
  }
  await house.setWeather(() => CALM)
  await receiver.recover()
  return weathers
}

type Player = {
  /** Plays one order until the events around its close are over. */
  one: (plan: Plan) => Promise<void>
  /** Orders whose later events are still to come. */
  inMotion: Set<Promise<void>>
  violations: () => number
}

function playerOf({ startedMs, client, receiver, records, found }: Room, byOrder: Map<number, OrderRecord>): Player {
  const run = startedMs.toString(36)
  const inMotion = new Set<Promise<void>>()
  let violations = 0
  const judge = (record: OrderRecord): void => {
    for (const violation of storyViolations(record)) {
      violations += 1
      found?.(record, violation)
    }
  }
  const one = async (plan: Plan): Promise<void> => {
    const id = records.length
    const { record, hot, done } = play(client, plan, { run: `${run}-${id}`, notifyUrl: receiver.url(plan.mood, id) })
    byOrder.set(id, record)
    records.push(record)
    const judged = done.then(() => {
      inMotion.delete(judged)
      judge(record)
    })
    inMotion.add(judged)
    // An order that waits for its expiry does not hold up the others.
    await hot
    while (inMotion.size > IN_MOTION_MAX) await Promise.race(inMotion)
  }
  return { one, inMotion, violations: () => violations }
}

async function playStage({ atOnce }: Room, { plans, isApart }: Stage, { one, inMotion }: Player): Promise<void> {
  const waiting = [...plans]
  const lane = async (): Promise<void> => {
    for (let plan = waiting.shift(); plan !== undefined; plan = waiting.shift()) await one(plan)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  if (isApart) await Promise.all(inMotion)
}

const count = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1)

/** Adds a notification to its order's facts. */
function recordNotification(record: OrderRecord | undefined, { atMs, isSigned, body, answer }: Told): void {
  if (record === undefined) return
  const { code, refund_amount, mch_refund_no } = body
  const isRefund = typeof mch_refund_no === 'string'
  const fact: Fact = {
    column: isRefund ? 'told_refund' : 'told_payment',
    word: code ?? '',
    sentMs: atMs,
    knownMs: atMs,
    ...(isRefund ? { refund: mch_refund_no, fen: Math.round(Number(refund_amount) * 100) } : {}),
    note: contentOf(body),
  }
  record.facts.push(isSigned ? fact : { ...fact, column: 'trouble', word: 'a notification with a wrong signature' })
  if (answer !== ACKNOWLEDGED) fact.answered = answer
}

/** The notification's content without the members that differ with each delivery. */
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
