/** `npm run acopay -- …`: the command line, built when needed, run where npm was called. */
require('./check-node.cjs').checkNode()

async function acopay() {
  await require('./prepare.cjs').prepare({ build: true })
  if (process.env.INIT_CWD) process.chdir(process.env.INIT_CWD)
  await import('../apps/cli/dist/main.js')
}

acopay().catch((error) => {
  console.error(error)
  process.exit(1)
})
