/** `npm run audit -- verify|heads`: finds rows that were changed behind the gateway's back, and exports the heads of days. */
require('./check-node.cjs').checkNode()
const path = require('node:path')

async function run() {
  await require('./prepare.cjs').prepare({ build: true })
  const { audit } = await import('../apps/server/dist/commands/audit.js')
  const { environment } = await import('../apps/server/dist/start/environment.js')
  const env = environment(process.env, process.cwd())
  const defaultHome = path.join(path.dirname(__dirname), '.acopay')
  const isFine = await audit({ env, defaultHome }, process.argv.slice(2), (line) => console.log(line))
  process.exit(isFine ? 0 : 1)
}

run().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
