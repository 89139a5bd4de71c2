/** `npm start`: from a fresh checkout to a running gateway. */
require('./check-node.cjs').checkNode()
// Signatures are made on this pool; its size is read once, at its first use.
process.env.UV_THREADPOOL_SIZE = process.env.UV_THREADPOOL_SIZE || String(Math.max(4, require('node:os').cpus().length))

async function start() {
  await require('./prepare.cjs').prepare({ build: true })
  const { main } = await import('../apps/server/dist/main.js')
  await main()
}

start().catch((error) => {
  console.error(error)
  process.exit(1)
})
