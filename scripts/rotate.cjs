/** `npm run rotate -- keys|platform|end|master|forget`: changes the platform key and the master key while gateways run. */
require('./check-node.cjs').checkNode()
const path = require('node:path')

async function run() {
  await require('./prepare.cjs').prepare({ build: true })
  const { rotate } = await import('../apps/server/dist/commands/rotate.js')
  const { environment } = await import('../apps/server/dist/start/environment.js')
  const env = environment(process.env, process.cwd())
  const defaultHome = path.join(path.dirname(__dirname), '.acopay')
  await rotate({ env, defaultHome }, process.argv.slice(2), (line) => console.log(line))
}

run().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
