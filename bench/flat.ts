/**
 * Whether close, place and query cost the same on a small database and on a large one: `npm run bench:flat`, in one run, on one database that grows.
 * `-- --sizes 10000,1000000,10000000`. Ten million orders take half an hour and 30 GB. Linux.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { seedOrders } from '../apps/server/src/commands/seed-orders.ts'
import { measuredLine } from './figures/block.ts'
import { FLAT_WORKS, flatText, type Sized } from './figures/flat.ts'
import { settled, watchedBy } from './figures/measure.ts'
import { progress } from './figures/said.ts'
import { writeReadmes } from './figures/write.ts'
import { numberOf, numbersOf } from './options.ts'
import { runOf } from './run-of.ts'
import { openStack, type Stack } from './stack/stack.ts'
import { openLanes } from './work/lanes.ts'
import { WORKS } from './work/works.ts'

const { values } = parseArgs({
  allowNegative: true,
  options: {
    sizes: { type: 'string', default: '10000,1000000,10000000' },
    orders: { type: 'string', default: '4000' },
    merchants: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '64' },
    out: { type: 'string' },
    write: { type: 'boolean', default: true },
  },
})
const SIZES = numbersOf('sizes', values.sizes, [1, 100_000_000])
const ORDERS = numberOf('orders', values.orders, [20, 1_000_000])
const MERCHANTS = numberOf('merchants', values.merchants, [1, 10_000])
const CONNECTIONS = numberOf('connections', values.connections, [1, 2000])

const say = progress()

/** No gateway of this sandbox ever starts. The orders that were measured before are among those of the next size: some thousands of a million. */
async function grown(stack: Stack, size: number): Promise<void> {
  await stack.rest()
  const env = { ...stack.env, ACOPAY_MODE: 'sandbox', ACOPAY_SANDBOX_EXPOSED: 'yes' }
  const status = await seedOrders.run(['--orders', String(size)], { env, defaultHome: '', say: say.step })
  if (status !== 0) throw new Error('the orders could not be seeded')
}

async function measureSize(stack: Stack, size: number): Promise<Sized[]> {
  const gateways = await stack.start(1)
  say.step('waiting until what a start and a large load leave to do is done …')
  await stack.database.pool.query('checkpoint')
  await settled([gateways.cpuUs, stack.database.cpuUs])
  const lanes = await openLanes({
    gateways: gateways.urls,
    payers: stack.outside.payers,
    connections: CONNECTIONS,
  })
  const scene = { stack, lanes, merchants: stack.merchants, say: say.step }
  const sized: Sized[] = []
  // The first calls after a start read what is not in memory yet.
  await (await WORKS.close(scene, Math.min(500, ORDERS)))()
  for (const work of FLAT_WORKS) {
    const prepared = await WORKS[work](scene, ORDERS)
    const block = { work, merchants: MERCHANTS, processes: 1, node: process.versions.node }
    const subject = `${size} orders: `
    const watched = watchedBy(stack, gateways)
    const line = await measuredLine(block, { watched, prepared, subject }, { say, signatureSeconds: 1, isQuick: true })
    sized.push({ ...line, size })
  }
  lanes.end()
  return sized
}

async function main(): Promise<void> {
  const stack = await openStack({ merchants: MERCHANTS, node: process.execPath })
  try {
    const sized: Sized[] = []
    for (const size of SIZES) {
      await grown(stack, size)
      sized.push(...(await measureSize(stack, size)))
    }
    const run = runOf({ postgres: stack.database.version, orders: ORDERS })
    say.line(`\n${flatText(run, sized, 'en')}`)
    if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify({ run, sized }, null, 2)}\n`)
    if (values.write) writeReadmes('bench:flat', (language) => flatText(run, sized, language))
  } finally {
    await stack.stop()
  }
}

await main()
