/** `npm start`: from a fresh checkout to a running gateway. */
require('./check-node.cjs').checkNode()

async function start() {
  await require('./prepare.cjs').prepare({ build: true })
  process.argv.splice(2, Number.POSITIVE_INFINITY, 'start')
  require('../apps/server/bin/acopay-server.cjs')
}

start().catch((error) => {
  console.error(error)
  process.exit(1)
})
