/** `npm run migrate`, `npm run audit -- verify` …: the operator's command of this name, built when needed, run where npm was called. */
require('./check-node.cjs').checkNode()
const path = require('node:path')

async function operator() {
  await require('./prepare.cjs').prepare({ build: true })
  const { ACOPAY_HOME: home, INIT_CWD: from } = process.env
  if (home) process.env.ACOPAY_HOME = path.resolve(home)
  if (from) process.chdir(from)
  require('../apps/server/bin/acopay-server.cjs')
}

operator().catch((error) => {
  console.error(error)
  process.exit(1)
})
