/** The port of its own for /metrics, where one is set. */
import type { AddressInfo } from 'node:net'
import { metricsServer, scraping } from '../http/metrics.ts'
import type { World } from '../world.ts'
import type { Config } from './config.ts'

type Opened = { text: () => Promise<string>; opened: (() => Promise<unknown>)[] }

/** Answers its address, or null where none is set. Adds to `opened` what closes it. */
export async function openMetrics(
  world: Pick<World, 'metrics' | 'log'>,
  { host, metricsPort, metricsToken }: Config,
  { text, opened }: Opened,
): Promise<string | null> {
  if (metricsPort === null) return null
  const server = metricsServer(world, scraping({ token: metricsToken, text }))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Error(TAKEN(metricsPort)) : error),
    )
    server.listen({ host, port: metricsPort }, resolve)
  })
  opened.push(async () => {
    server.close()
    server.closeAllConnections()
  })
  const { address, port, family } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/metrics`
}

const TAKEN = (port: number): string =>
  `端口 ${port} 已被占用，请设置 ACOPAY_METRICS_PORT (port ${port} is taken, set ACOPAY_METRICS_PORT)`
