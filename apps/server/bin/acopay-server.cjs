#!/usr/bin/env node
/** The process of `acopay-server`. Loaded first, and in words that an old Node understands. */
const NEEDED = [20, 19]
const [major, minor] = process.versions.node.split('.').map(Number)

async function run() {
  const { operate } = await import('../dist/operate.js')
  // The process ends by itself when all is printed.
  process.exitCode = await operate(process.argv.slice(2), {
    env: process.env,
    say: (line) => console.log(line),
    complain: (line) => console.error(line),
  })
}

if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  console.error(`需要 Node.js ${NEEDED.join('.')} 或更高版本 (or newer is needed); this is ${process.version}`)
  process.exitCode = 1
} else {
  // Signatures are made on this pool; its size is read once, at its first use.
  process.env.UV_THREADPOOL_SIZE =
    process.env.UV_THREADPOOL_SIZE || String(Math.max(4, require('node:os').cpus().length))
  run().catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
