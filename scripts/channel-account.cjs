/** `npm run channel-account -- MCH_NO wechat|alipay SETTINGS.json`: stores a merchant's credentials, sealed. */
require('./check-node.cjs').checkNode()
const path = require('node:path')

async function run() {
  await require('./prepare.cjs').prepare({ build: true })
  const { putAccount } = await import('../apps/server/dist/commands/channel-account.js')
  const { environment } = await import('../apps/server/dist/start/environment.js')
  const env = environment(process.env, process.cwd())
  const home = path.join(path.dirname(__dirname), '.acopay')
  const [mchNo, channel, file] = process.argv.slice(2)
  const from = process.env.INIT_CWD || process.cwd()
  const args = [mchNo, channel, file && path.resolve(from, file)]
  console.log(await putAccount(env, home, args))
}

run().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
