/** `npm run seed-orders -- --orders N`: many plausible orders in a sandbox's database. */
require('./check-node.cjs').checkNode()
const path = require('node:path')

async function run() {
  await require('./prepare.cjs').prepare({ build: true })
  const { seedOrders } = await import('../apps/server/dist/commands/seed-orders.js')
  const { environment } = await import('../apps/server/dist/start/environment.js')
  const env = environment(process.env, process.cwd())
  const home = path.join(path.dirname(__dirname), '.acopay')
  const [flag, orders] = process.argv.slice(2)
  await seedOrders(env, home, flag === '--orders' ? Number(orders) : Number.NaN, console.log)
}

run().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
