/** `npm run migrate [-- --serving-role NAME]`: brings the database to this version, as the owner of its tables. */
require('./check-node.cjs').checkNode()
const path = require('node:path')

async function run() {
  await require('./prepare.cjs').prepare({ build: true })
  const { migrate } = await import('../apps/server/dist/commands/migrate.js')
  const { environment } = await import('../apps/server/dist/start/environment.js')
  const env = environment(process.env, process.cwd())
  const defaultHome = path.join(path.dirname(__dirname), '.acopay')
  for (const line of await migrate(env, defaultHome, process.argv.slice(2))) console.log(line)
}

run().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
