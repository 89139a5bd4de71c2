/** The process: reads the configuration, starts the gateway, prints its address, and stops it on a signal. */
import { fileURLToPath } from 'node:url'
import { DEMO } from './sandbox/demo-merchant.ts'
import { type Config, ConfigError, readConfig } from './start/config.ts'
import { type Gateway, startGateway } from './start/gateway.ts'

/** Longer than the longest answer. A shutdown that takes longer hangs, so the process exits. */
const SHUTDOWN_MS = 15_000

/** Starts the gateway and resolves when it is ready. If it cannot start, prints one line and exits with 1. */
export async function main(): Promise<void> {
  try {
    const config = readConfig(process.env, fileURLToPath(new URL('../../../.acopay/', import.meta.url)))
    const gateway = await startGateway(config)
    announce(config, gateway)
    stopOnSignals(gateway)
  } catch (error) {
    process.stderr.write(`${lineOf(error)}\n`)
    process.exit(1)
  }
}

function announce(config: Config, { url, demoFile, consoleFile }: Gateway): void {
  const lines = ['', `  翼辉支付网关已启动 ACO Pay gateway   ${url}   (${config.mode})`]
  lines.push(`  管理台 console    ${config.publicUrl ?? url}/console/`)
  if (demoFile !== null) {
    lines.push(
      `  用户密码 users    ${consoleFile}`,
      `  商户号 merchant   ${DEMO.mchNo}`,
      `  应用号 app        ${DEMO.appNo}`,
      `  商户设置 settings ${demoFile}`,
      '  试一试 try        npm run acopay -- order place --amount 12.50 --description "测试订单"',
    )
  }
  process.stdout.write(`${lines.join('\n')}\n\n`)
}

function stopOnSignals(gateway: Gateway): void {
  let isStopping = false
  const stop = (): void => {
    // A second Ctrl-C exits at once.
    if (isStopping) process.exit(130)
    isStopping = true
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
    gateway.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${lineOf(error)}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

function lineOf(error: unknown): string {
  if (error instanceof ConfigError) return `配置错误 configuration: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}
