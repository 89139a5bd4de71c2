/** One of the processes that serve. Its parent starts it, tells it when to end, and is who has a signal to answer. */
import type { OperatorIo } from '../../commands/operator-command.ts'
import { type Config, readConfig } from '../config.ts'
import { saidOf } from '../config-error.ts'
import { type Gateway, startGateway, thisMachine } from '../gateway.ts'
import type { Post } from './messages.ts'
import { linkToParent, type ParentLink, type WorkerEnd } from './parent-link.ts'

/** `longestMs`: how long a stop may take besides its drain. */
type Io = Pick<OperatorIo, 'env' | 'defaultHome'> & { longestMs: number }

export async function serveAsWorker({ env, defaultHome, longestMs }: Io): Promise<never> {
  // A signal to the whole group reaches this process too.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
  const link = linkToParent()
  let gateway: Gateway | null = null
  const fail = async (error: unknown): Promise<never> => {
    await link.tell({ say: 'failed', line: saidOf(error) })
    process.exit(1)
  }
  const uncaught = (err: unknown): void => {
    if (gateway === null) void fail(err)
    else gateway.log.error({ err, alarm: true }, 'an error that nothing caught')
  }
  process.on('uncaughtException', uncaught).on('unhandledRejection', uncaught)
  try {
    const post = await Promise.race([link.post, link.end.then(() => null)])
    if (post === null) process.exit(0)
    const config = configAt(post, readConfig(env, defaultHome))
    const exitAfter = (): void => void setTimeout(() => process.exit(1), longestMs + config.drainMs).unref()
    gateway = await startGateway(config, await thisMachine(config), abortedAt(link, exitAfter), link.memberAt(post))
    await link.tell({ say: 'listening', url: gateway.url })
    void gateway.gone.then((error) => link.tell({ say: 'gone', line: error.message }))
    await gateway.stop(HOW[await link.end])
    await link.tellLast()
  } catch (error) {
    if ((await Promise.race([link.end, null])) === null) return fail(error)
  }
  process.exit(0)
}

const HOW = { leaving: 'leaving', stopping: 'stopping', orphaned: 'at once' } as const satisfies Record<
  WorkerEnd,
  string
>

/** Settings are read again by each worker; what the group has in common stays. */
function configAt({ fixed, database }: Post, config: Config): Config {
  if (config.databaseUrl === null && database === null) {
    throw new Error('DATABASE_URL 不见了，请重新启动网关 (DATABASE_URL is gone: start the gateway again)')
  }
  return { ...config, ...fixed, metricsPort: null }
}

/** Aborts a start that is under way when this process shall end. */
function abortedAt(link: ParentLink, exitAfter: () => void): AbortSignal {
  const ending = new AbortController()
  void link.end.then(() => {
    exitAfter()
    ending.abort()
  })
  return ending.signal
}
