/**
 * The process: reads the configuration, starts the gateway, prints its address, and stops it on a signal. A signal at any moment
 * ends it with 0; docs/operating.md lists the exit codes.
 */
import type { OperatorIo } from './commands/operator-command.ts'
import { isPackage } from './program-files.ts'
import { DEMO } from './sandbox/demo-merchant.ts'
import { type Config, readConfig } from './start/config.ts'
import { saidOf } from './start/config-error.ts'
import { envFileOf } from './start/environment.ts'
import { type Gateway, startGateway, thisMachine } from './start/gateway.ts'
import { unknownSettings } from './start/unknown-settings.ts'
import { VERSION } from './version.ts'

/** Longer than the longest answer. A shutdown that takes so much longer than its drain hangs, so the process exits. */
const SHUTDOWN_MS = 15_000

/** A signal to the whole group comes twice, because npm passes its own on: within this time it is one. */
const ONE_SIGNAL_MS = 500

/** Runs the gateway until a signal stops it. If it cannot start or go on, prints one line and exits with 1. */
export async function main({ env, defaultHome }: Pick<OperatorIo, 'env' | 'defaultHome'>): Promise<void> {
  let drainMs = 0
  const stopping = stopOnSignals(() => SHUTDOWN_MS + drainMs)
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
    gateway = await startGateway(config, await thisMachine(config), stopping)
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
