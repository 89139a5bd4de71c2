/** `npm run build`: compiles the server, the SDK and the command line, and builds the pages. */
require('./check-node.cjs').checkNode()
const { prepare } = require('./prepare.cjs')

prepare({ build: true }).catch((error) => {
  console.error(error)
  process.exit(1)
})
