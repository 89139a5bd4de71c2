/** `npm run console-user -- add NAME ROLE [MCH_NO]`, `… reset NAME`: who may use the console. */
require('./check-node.cjs').checkNode()
const path = require('node:path')

async function run() {
  await require('./prepare.cjs').prepare({ build: true })
  const { consoleUser } = await import('../apps/server/dist/commands/console-user.js')
  const { environment } = await import('../apps/server/dist/start/environment.js')
  const env = environment(process.env, process.cwd())
  const home = path.join(path.dirname(__dirname), '.acopay')
  console.log(await consoleUser(env, home, process.argv.slice(2)))
}

run().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
