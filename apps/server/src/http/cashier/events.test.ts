import type { OrderKey } from '@acopay/store/read'
import { expect, it } from 'vitest'
import { manualClock } from '../../../../../test/support/manual-clock.ts'
import type { World } from '../../world.ts'
import { cashierWatch } from './events.ts'

const order = (count: number): OrderKey => ({ mchNo: 'MCH1', transactionNo: `AP${count}` })
const watcher = () => () => {}

/** A watch over orders of which none is stored. `asked` holds how many orders each statement asked for. */
function watched() {
  const clock = manualClock(new Date(0))
  const asked: number[] = []
  const query = async ({ values }: { values: unknown[][] }) => {
    asked.push(values[0]?.length ?? 0)
    return { rows: [] }
  }
  const world = { pool: { query }, sleep: clock.sleep } as unknown as World
  return { clock, asked, watch: cashierWatch(world) }
}

const settled = () => new Promise(setImmediate)

it('one order is looked at by ten pages, 2000 pages in all, and a page that leaves makes room for another', () => {
  const { watch } = watched()
  const leave = Array.from({ length: 10 }, () => watch.watch(order(0), watcher()))
  expect(leave).not.toContain(null)
  expect(watch.watch(order(0), watcher())).toBeNull()
  leave[0]?.()
  // To leave twice makes room once.
  leave[0]?.()
  expect(watch.watch(order(0), watcher())).not.toBeNull()
  expect(watch.watch(order(0), watcher())).toBeNull()

  for (let count = 10; count < 1999; count += 1) watch.watch(order(count), watcher())
  const last = watch.watch(order(1999), watcher())
  expect(last).not.toBeNull()
  expect(watch.watch(order(2000), watcher())).toBeNull()
  last?.()
  expect(watch.watch(order(2000), watcher())).not.toBeNull()
  expect(watch.watch(order(2001), watcher())).toBeNull()
  watch.stop()
})

it('however many pages look, the orders are read once a second in one statement, and not at all when no page looks', async () => {
  const { clock, asked, watch } = watched()
  const leave = [0, 0, 1].map((count) => watch.watch(order(count), watcher()))
  await settled()
  clock.advance(999)
  await settled()
  expect(asked).toEqual([])
  clock.advance(1)
  await settled()
  expect(asked).toEqual([2])
  clock.advance(1000)
  await settled()
  expect(asked).toEqual([2, 2])
  for (const page of leave) page?.()
  for (const _ of [1, 2, 3]) {
    clock.advance(1000)
    await settled()
  }
  expect(asked).toEqual([2, 2])
  expect(clock.sleeping(1000)).toBe(0)
  watch.watch(order(2), watcher())
  await settled()
  clock.advance(1000)
  await settled()
  expect(asked).toEqual([2, 2, 1])
  watch.stop()
})
