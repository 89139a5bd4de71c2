/** Payers and a merchant at the same moment, with faults on: what became of each order, and of all the money. */
import { setTimeout as pause } from 'node:timers/promises'
import type { DemoSettings } from '../apps/server/src/sandbox-seed.ts'
import type { Fault } from '../packages/upstreams/src/index.ts'
import { close, openAttempt, pay, place, query } from '../test/support/merchant.ts'

export const COLUMNS = [
  '关单，无人付款 closed, nobody paid',
  '已付款，关单被拒 paid, close refused',
  '关单，款项退回 closed, money sent back',
] as const

export type Raced = {
  order: string
  /** Every column that fits; exactly one must. */
  columns: (typeof COLUMNS)[number][]
  takenFen: number
  returnedFen: number
}

const FAULTS: Fault[] = [
  { kind: 'lost_answer', probability: 0.04 },
  { kind: 'error_before', probability: 0.04 },
  { kind: 'error_after', probability: 0.04 },
  { kind: 'unreadable', probability: 0.03 },
  { kind: 'bad_signature', probability: 0.03 },
  { kind: 'closes_late', probability: 0.1, ms: 1500 },
  { kind: 'closes_never', probability: 0.05 },
  { kind: 'lands_late', probability: 0.05, ms: 2000 },
  { kind: 'twin', probability: 0.2 },
]

const CHANNELS = ['wechat', 'alipay'] as const
const REST_TRIES = 120

/** Runs the races, `atOnce` at a time, then waits until nothing is under way. `say` hears of the progress. */
export async function race(
  demo: DemoSettings,
  { orders, atOnce, say }: { orders: number; atOnce: number; say: (line: string) => void },
): Promise<Raced[]> {
  await setFaults(demo, FAULTS)
  const raced: { order: string; attempts: string[]; toldClosed: boolean }[] = []
  let started = 0
  const lane = async (): Promise<void> => {
    while (started < orders) {
      const round = started
      started += 1
      raced.push(await raceOne(demo, round))
      if (raced.length % 50 === 0) say(`${raced.length} / ${orders}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  await setFaults(demo, [])
  say('faults are off; waiting until nothing is under way')

  for (let tries = 0; ; tries += 1) {
    const results = await judge(demo, raced)
    const isDone = results.every(({ columns }) => columns.length === 1)
    if (isDone || tries === REST_TRIES) return results
    await pause(1000)
  }
}

/**
 * Two codes for one order, scanned in two apps; nobody, one or both pay while the merchant closes. Of every fifth order
 * the second code is scanned and paid only after the close: nobody can take it back before.
 */
async function raceOne(demo: DemoSettings, round: number) {
  const order = await place(demo)
  const attempts = (await Promise.all(CHANNELS.map((channel) => openAttempt(demo, order, channel)))).filter(
    (attempt) => attempt !== null,
  )
  const isLate = round % 5 === 0
  const scanned = isLate ? attempts.slice(0, 1) : attempts
  await Promise.all(scanned.map((attempt) => pay(demo, order, attempt, 'scan')))
  const payers = isLate ? [] : attempts.filter((_attempt, index) => ((round % 4) & (index + 1)) !== 0)
  // Sometimes the merchant is faster, sometimes a payer.
  const wait = async (ms: number, what: () => Promise<unknown>): Promise<unknown> => {
    await pause(ms)
    return what()
  }
  const [closed] = await Promise.all([
    wait((round * 7) % 40, () => close(demo, order)),
    ...payers.map((attempt, index) => wait((round * 11 + index * 13) % 40, () => pay(demo, order, attempt))),
  ])
  if (isLate && attempts[1] !== undefined) await pay(demo, order, attempts[1])
  const { code } = (closed as Awaited<ReturnType<typeof close>>).data
  return { order, attempts, toldClosed: code === 'SUCCESS' }
}

async function judge(
  demo: DemoSettings,
  raced: { order: string; attempts: string[]; toldClosed: boolean }[],
): Promise<Raced[]> {
  const money = new Map<string, { taken: number; returned: number }>()
  for (const channel of CHANNELS) {
    const response = await fetch(`${demo.baseUrl}/sandbox/upstreams/${channel}/taken`)
    for (const { attempt_no, taken_fen, returned_fen } of (await response.json()) as Taken[]) {
      money.set(attempt_no, { taken: taken_fen, returned: returned_fen })
    }
  }
  const results: Raced[] = []
  for (const { order, attempts, toldClosed } of raced) {
    const state = (await query(demo, order)).data.code
    const own = attempts.map((attempt) => money.get(attempt) ?? { taken: 0, returned: 0 })
    const takenFen = own.reduce((sum, { taken }) => sum + taken, 0)
    const returnedFen = own.reduce((sum, { returned }) => sum + returned, 0)
    const isClosed = state === 'CLOSED'
    const fits = [
      isClosed && takenFen === 0,
      state === 'SUCCESS' && !toldClosed && takenFen - returnedFen === 1250,
      isClosed && takenFen > 0 && takenFen === returnedFen,
    ]
    results.push({ order, columns: COLUMNS.filter((_column, index) => fits[index]), takenFen, returnedFen })
  }
  return results
}

type Taken = { attempt_no: string; taken_fen: number; returned_fen: number }

async function setFaults(demo: DemoSettings, faults: Fault[]): Promise<void> {
  for (const channel of CHANNELS) {
    const url = `${demo.baseUrl}/sandbox/upstreams/${channel}/faults`
    const response = await fetch(url, { method: 'PUT', body: JSON.stringify(faults) })
    if (!response.ok) throw new Error(await response.text())
  }
}
