/**
 * The process: reads the configuration, starts the gateway, prints its address, and stops it on a signal. A signal at any moment
 * ends it with 0; docs/operating.md lists the exit codes.
 */
import cluster from 'node:cluster'
import { isatty } from 'node:tty'
import type { OperatorIo } from './commands/operator-command.ts'
import { isPackage } from './program-files.ts'
import { DEMO } from './sandbox/demo-merchant.ts'
import { type Config, readConfig } from './start/config.ts'
import { saidOf } from './start/config-error.ts'
import { envFileOf } from './start/environment.ts'
import { type Gateway, startGateway, thisMachine } from './start/gateway.ts'
import { processesOf } from './start/group/cores.ts'
import { startGroup } from './start/group/group.ts'
import { serveAsWorker } from './start/group/serve-as-worker.ts'
import { unknownSettings } from './start/unknown-settings.ts'
import { VERSION } from './version.ts'

/** Longer than the longest answer. A shutdown that takes so much longer than its drain hangs, so the process exits. */
const SHUTDOWN_MS = 15_000
/** What a parent has to close once its workers have ended. */
const PARENT_MS = 2000

/** A signal to the whole group comes twice, because npm passes its own on: within this time it is one. */
const ONE_SIGNAL_MS = 500

/** Runs the gateway until a signal stops it. If it cannot start or go on, prints one line and exits with 1. */
export async function main({ env, defaultHome }: Pick<OperatorIo, 'env' | 'defaultHome'>): Promise<void> {
  if (cluster.isWorker) return serveAsWorker({ env, defaultHome, longestMs: SHUTDOWN_MS })
  let drainMs = 0
  // The workers end before their parent gives up.
  const stopping = stopOnSignals(() => SHUTDOWN_MS + drainMs + PARENT_MS)
  let gateway: Gateway | null = null
  // The database holds all state, so the calls that come later are none the worse for an error that nothing has caught.
  const uncaught = (err: unknown): void => {
    if (gateway === null) fail(err)
    else gateway.log.error({ err, alarm: true }, 'an error that nothing caught')
  }
  process.on('uncaughtException', uncaught).on('unhandledRejection', uncaught)
  try {
    for (const line of [...(envFileOf(env)?.warnings ?? []), ...unknownSettings(env)]) process.stderr.write(`${line}\n`)
    const config = readConfig(env, defaultHome)
    drainMs = config.drainMs
    gateway = await startAll(config, stopping)
    announce(config, gateway)
    const gone = await Promise.race([aborted(stopping), gateway.gone])
    if (gone !== null) exitAfter(SHUTDOWN_MS)
    await gateway.stop()
    if (gone !== null) throw gone
  } catch (error) {
    if (error !== stopping.reason) fail(error)
  }
  process.exit(0)
}

async function startAll(config: Config, signal: AbortSignal): Promise<Gateway> {
  const processes = processesOf(config)
  const machine = await thisMachine(config)
  // One that comes during the start has nothing to replace: the workers begin by what the settings say now.
  let replace = (): void => {}
  onHangUp(() => replace())
  if (processes > 1) {
    const threads = Number(process.env.UV_THREADPOOL_SIZE) || processes
    const group = await startGroup(config, { processes, threads, machine, signal, longestMs: SHUTDOWN_MS })
    replace = () => void group.replace()
    return group
  }
  const gateway = await startGateway(config, machine, signal)
  replace = () => gateway.log.warn('SIGHUP replaces workers, and this gateway is one process (ACOPAY_PROCESSES)')
  return gateway
}

/** SIGHUP is a terminal that was closed, which ends a gateway there; elsewhere it asks for new workers. */
function onHangUp(replace: () => void): void {
  const isAtTerminal = isatty(0)
  process.on('SIGHUP', () => {
    if (isAtTerminal) process.emit('SIGTERM')
    else replace()
  })
}

/** Aborts at the first signal. A stop that takes longer than `longestMs` then is given up. */
function stopOnSignals(longestMs: () => number): AbortSignal {
  const stopping = new AbortController()
  let sinceMs = 0
  const stop = (): void => {
    // A second Ctrl-C exits at once.
    if (stopping.signal.aborted && performance.now() - sinceMs > ONE_SIGNAL_MS) process.exit(130)
    if (stopping.signal.aborted) return
    sinceMs = performance.now()
    // A start that is given up closes what it has opened.
    exitAfter(longestMs())
    stopping.abort()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  return stopping.signal
}

const aborted = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(null)
    signal.addEventListener('abort', () => resolve(null))
  })

const exitAfter = (ms: number): void => void setTimeout(() => process.exit(1), ms).unref()

function fail(error: unknown): never {
  process.stderr.write(`${saidOf(error)}\n`)
  process.exit(1)
}

function announce(config: Config, { url, sandbox }: Gateway): void {
  const lines = ['', `  翼辉支付网关已启动 ACO Pay gateway   ${url}   (${config.mode}, ${VERSION})`]
  lines.push(`  管理台 console    ${config.publicUrl ?? url}/console/`)
  if (sandbox !== null) {
    lines.push(
      `  用户密码 users    ${sandbox.consoleFile}`,
      `  商户号 merchant   ${DEMO.mchNo}`,
      `  应用号 app        ${DEMO.appNo}`,
      `  商户设置 settings ${sandbox.demoFile}`,
      `  试一试 try        ${isPackage ? 'acopay' : 'npm run acopay --'} order place --amount 12.50 --description "测试订单"`,
    )
    if (sandbox.otherUrl !== null) {
      const other = sandbox.otherUrl
      lines.push(
        `  注意 note         这两个文件仍指向正在运行的另一个网关 (these files still name the gateway that runs at) ${other}`,
      )
    }
  }
  process.stdout.write(`${lines.join('\n')}\n\n`)
}
