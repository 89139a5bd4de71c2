/** One gateway process: database, HTTP and jobs, started in order and stopped in the opposite one. */
import { setTimeout as pause } from 'node:timers/promises'
import { migrate } from '@acopay/store'
import { pino } from 'pino'
import { buildWorld } from './build-world.ts'
import type { Config } from './config.ts'
import { openDatabase } from './database.ts'
import { guardedPost } from './guarded-post.ts'
import { buildServer } from './http/server.ts'
import { startNotifier } from './jobs/notifier.ts'
import { startWorker } from './jobs/worker.ts'
import { loadSigningKey } from './platform-key.ts'
import { seedDemo } from './sandbox-seed.ts'
import { type SandboxUpstreams, sandboxUpstreams } from './sandbox-upstreams.ts'
import { seedConsoleUsers } from './sandbox-users.ts'
import { masterKeyOf } from './vault.ts'
import type { World } from './world.ts'

const KEY_REFRESH_MS = 60_000
const LONGEST_ANSWER_MS = 10_000
const TELLING_PAUSE_MS = 1_000

export type Gateway = {
  url: string
  /** Sandbox mode: where the demo merchant's settings lie. */
  demoFile: string | null
  /** Sandbox mode: where the console's users and their passwords lie. */
  consoleFile: string | null
  /** Finishes what is in flight, then closes everything this process opened. */
  stop: () => Promise<void>
}

/** Starts a gateway and resolves when it is ready. Throws one clear line, with everything it opened closed again. */
export async function startGateway(config: Config): Promise<Gateway> {
  const log = openLog(config.logLevel)
  const masterKey = config.masterKey ?? masterKeyOf(config.home)
  const { pool, close: closeDatabase } = await openDatabase(config, (error) =>
    log.warn({ err: error }, 'database connection lost'),
  )
  const outgoing = guardedPost({
    ports: config.notifyPorts,
    networks: config.notifyNetworks,
    isLoopbackAllowed: config.mode === 'sandbox',
  })
  const now = (): Date => new Date(Date.now() + config.sandboxAheadMs)
  let upstreams: SandboxUpstreams | null = null
  try {
    await migrate(pool)
    let signingKey = await loadSigningKey(pool, masterKey, now())
    let publicUrl = ''
    let ownUrl = ''
    const world = buildWorld({
      ...{ config, pool, log, masterKey, outgoing },
      signingKey: () => signingKey,
      publicUrl: () => publicUrl,
      ownUrl: () => ownUrl,
      sandboxUrl: () => upstreams?.url() ?? '',
      now,
      // An aborted sleep ends early; whoever aborted it knows why.
      sleep: (ms, signal) => pause(ms, undefined, signal ? { signal } : {}).catch(() => {}),
    })
    upstreams = world.isSandbox ? sandboxUpstreams(pool, world) : null
    const app = buildServer(world, config, upstreams)
    ownUrl = await listen(app, config)
    publicUrl = config.publicUrl ?? ownUrl

    const platform = { baseUrl: publicUrl, platformPublicKey: signingKey.publicKeyText }
    const demoFile = world.isSandbox ? await seedDemo(pool, config.home, platform, now()) : null
    const consoleFile = world.isSandbox ? await seedConsoleUsers(pool, config.home, publicUrl, now()) : null
    if (upstreams !== null) await upstreams.open(masterKey)
    const worker = startWorker(world, config.jobPauseMs)
    const notifier = startNotifier(world, config.jobPauseMs)
    // A key added by another process is used by all of them within a minute.
    const refresh = setInterval(async () => {
      try {
        signingKey = await loadSigningKey(pool, masterKey, now())
      } catch (error) {
        log.error({ err: error }, 'the platform key could not be read again')
      }
    }, KEY_REFRESH_MS)
    // The sandbox's upstreams tell again what was not heard.
    const telling = setInterval(() => void upstreams?.deliverDue(), TELLING_PAUSE_MS)
    const stop = async (): Promise<void> => {
      clearInterval(refresh)
      clearInterval(telling)
      // A connection that never asked anything is not waited for longer than the longest answer.
      const cut = setTimeout(() => app.server.closeAllConnections(), LONGEST_ANSWER_MS)
      await app.close()
      clearTimeout(cut)
      await Promise.all([worker.stop(), notifier.stop()])
      await outgoing.close()
      await upstreams?.stop()
      await closeDatabase()
      log.flush()
    }
    return { url: ownUrl, demoFile, consoleFile, stop }
  } catch (error) {
    await upstreams?.stop()
    await outgoing.close()
    await closeDatabase().catch(() => {})
    throw error
  }
}

/** Never keys, never signatures, never bodies: dropped by name even where code would log them by mistake. */
const REDACTED = ['*.privateKey', '*.mchPrivateKey', '*.password', '*.sign', '*.connectionString']

const openLog = (level: string): World['log'] =>
  pino({ level, base: { pid: process.pid }, redact: REDACTED }, pino.destination({ dest: 1, sync: false }))

async function listen(app: ReturnType<typeof buildServer>, { host, port }: Config): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Error(`端口 ${port} 已被占用，请设置 PORT (port ${port} is taken, set PORT)`)
  }
}
