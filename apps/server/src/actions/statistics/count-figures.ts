/** Counts the hours of the page of figures: those that have changed since, and after an upgrade every hour back to the oldest order. */
import { CHINA_MS, DAY_MS } from '@acopay/core'
import { retried, transaction } from '@acopay/store'
import { countFigures, figuresCounted, lockDay, oldestOrder, sumDay } from '@acopay/store/console'
import { numberTime, platformNumber } from '../../security/numbers.ts'
import type { World } from '../../world.ts'
import { HOUR_MS, SETTLED_MS } from './count-hours.ts'

/** The hour that goes on is counted again after so long, and not at each round of the worker. */
const AGAIN_MS = 60_000

/** The beginning of the moment's day in UTC+8. */
const dayBegin = (ms: number): number => Math.floor((ms + CHINA_MS) / DAY_MS) * DAY_MS - CHINA_MS

/** Counts the newest hour first and stops between two hours when `stopping` aborts. Returns how many hours it counted. */
export async function countFigureHours(world: World, stopping?: AbortSignal): Promise<number> {
  const nowMs = world.now().getTime()
  const newestMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS
  const oldestMs = Math.min(newestMs, await oldestHour(world))
  const counted = new Map(
    (await figuresCounted(world.pool, new Date(oldestMs))).map(({ hourAt, countedAt }) => [+hourAt, +countedAt]),
  )
  let count = 0
  for (let beginMs = newestMs; beginMs >= oldestMs && stopping?.aborted !== true; beginMs -= HOUR_MS) {
    const countedMs = counted.get(beginMs) ?? 0
    const isSettled = countedMs >= beginMs + HOUR_MS + SETTLED_MS
    if (isSettled || (nowMs - countedMs < AGAIN_MS && countedMs <= nowMs)) continue
    await retried(() => countOne(world, beginMs))
    count += 1
  }
  return count
}

/** The hour of the oldest order. Nothing is written before an order is placed. */
async function oldestHour(world: World): Promise<number> {
  const number = await oldestOrder(world.pool)
  const placedMs = number === null ? Number.POSITIVE_INFINITY : Date.parse(numberTime(number))
  return Math.floor(placedMs / HOUR_MS) * HOUR_MS
}

/** The hour, and with it the sum of its day. */
async function countOne(world: World, beginMs: number): Promise<void> {
  const now = world.now()
  const [begin, end] = [new Date(beginMs), new Date(beginMs + HOUR_MS)]
  const numbers = { from: platformNumber('AP', begin, ''), until: platformNumber('AP', end, '') }
  const dayMs = dayBegin(beginMs)
  const [day, dayEnd] = [new Date(dayMs), new Date(dayMs + DAY_MS)]
  await transaction(world.pool, async (db) => {
    await lockDay(db, day, now)
    await countFigures(db, { begin, end, numbers }, now)
    await sumDay(db, { day, end: dayEnd }, now)
  })
}
