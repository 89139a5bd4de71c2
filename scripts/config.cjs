/** `npm run config [-- --check] [--connect] [--json]`: the settings, where each comes from, and what is wrong with them. */
require('./check-node.cjs').checkNode()
const path = require('node:path')

async function run() {
  await require('./prepare.cjs').prepare({ build: true })
  const { config } = await import('../apps/server/dist/commands/config.js')
  const { environment } = await import('../apps/server/dist/start/environment.js')
  const defaultHome = path.join(path.dirname(__dirname), '.acopay')
  const env = environment(process.env, process.cwd())
  process.exitCode = await config.run(process.argv.slice(2), { env, defaultHome, say: (line) => console.log(line) })
}

run().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
