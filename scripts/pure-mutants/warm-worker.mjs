/**
 * The thread of warm-pool.ts. Before each run it forgets every module, so that a mistake in a table is read anew; only keys for
 * tests are kept. After each run it says whether anything of the run may be left: then the next one gets a new thread.
 */
import { parentPort } from 'node:worker_threads'
import { init, runBaseTests, setupEnvironment } from 'vitest/worker'

const KEPT = /\/test\/support\/keys\.ts$/
const NAMESPACE = '__stryker__'

/** What a test may put something else in place of. */
const globals = () => [
  ...['Date', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'EventSource', 'document', 'window'].map(
    (name) => globalThis[name],
  ),
  ...[Date.now, Math.random, performance.now, process.nextTick, process.cwd(), process.env.TZ],
]
const atStart = globals()

/** Timers, servers and connections that keep the thread alive. */
const active = () => process.getActiveResourcesInfo().filter((name) => /^(Timeout|Immediate|TCP|Pipe|TLS)/.test(name))

/** Vitest itself leaves one timer, which ends by itself. */
const VITEST_MS = 105

async function isWorn() {
  if (active().join() === 'Timeout') await new Promise((resolve) => atStart[2](resolve, VITEST_MS))
  return active().length > 0 || globals().some((value, index) => value !== atStart[index])
}

async function post(message) {
  parentPort.postMessage(message?.type === 'stopped' ? { ...message, isWorn: await isWorn() } : message)
}

let modules
const listeners = []

function forgetModules() {
  delete globalThis[NAMESPACE]
  for (const node of modules?.idToModuleMap.values() ?? []) {
    const isOurs = node.meta !== undefined && !('externalize' in node.meta)
    if (isOurs && !KEPT.test(node.file)) modules.invalidateModule(node)
  }
}

/** File by file, because vitest itself reads all the other files too when a test of the first one has found the mistake. */
async function runTests(state, traces) {
  forgetModules()
  let isOver = false
  state.onCancel(() => {
    isOver = true
  })
  for (const file of state.ctx.files) {
    if (isOver) return
    await runBaseTests('run', { ...state, ctx: { ...state.ctx, files: [file] } }, traces)
  }
}

init({
  post,
  on: (listener) => {
    listeners.push(listener)
    parentPort.on('message', listener)
  },
  off: (listener) => parentPort.off('message', listener),
  // The first listener is init's; the others are of the runs before.
  setup: (context) => {
    for (const old of listeners.splice(1, listeners.length - 2)) parentPort.off('message', old)
    return setupEnvironment(context)
  },
  onModuleRunner: (runner) => {
    modules = runner.evaluatedModules
  },
  runTests,
  collectTests: (state, traces) => runBaseTests('collect', state, traces),
})
