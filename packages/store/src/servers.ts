/**
 * The connections of a pool, and which of several servers they go to. A server that takes no writes any more is left at once: its
 * other connections are not used again, and the next one looks for the server that does.
 */
import pg from 'pg'

/** One of the servers that a database address names. */
export type Server = { name: string } & Pick<pg.ClientConfig, 'connectionString' | 'ssl'> & {
    sslnegotiation?: 'postgres' | 'direct'
  }

/** What a server has to be before it gets work, by libpq's words. */
export type WantedServer = 'any' | 'read-write' | 'primary'

export type ServersOptions = {
  servers: Server[]
  wanted: WantedServer
  /** How long one server may take until it can be asked. */
  serverMs: number
}

/** None of the servers could be used: each with the reason. */
export class NoServerError extends Error {
  readonly code: string
  readonly failures: Failure[]
  constructor(failures: Failure[]) {
    super(`no server of ${failures.length} can be used: ${failures.map(described).join(', ')}`)
    this.failures = failures
    this.code = codeOf(failures.at(-1)?.error) ?? 'NO_SERVER'
  }
}

/** Repeats no message of others: some hold the address. */
const described = ({ server, error, isOurs }: Failure): string =>
  `${server} (${isOurs ? error.message : (codeOf(error) ?? error.name)})`

const codeOf = (error: unknown): string | undefined => (error as { code?: string } | undefined)?.code

/** `isOurs`: the error's message is a few words of this file, and repeats no address. */
type Failure = { server: string; error: Error; isOurs: boolean }

/** It answers and is not what is wanted, or does not answer. */
class UnfitServer extends Error {}

const failureOf = ([server, error]: [string, Error]): Failure => ({
  server,
  error,
  isOurs: error instanceof UnfitServer,
})

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: boolean | Error) => void,
) => void

/** PostgreSQL's word for: nothing can be written here. */
const READ_ONLY = '25006'

/** After these the connection is of no use, also where PostgreSQL keeps it open: the server ends, or takes no writes. */
export const leavesServer = (error: unknown): error is Error =>
  error instanceof Error && /^(?:25006|57P0[1-3]|08\d{3})$/.test(codeOf(error) ?? '')

/** PgBouncer refuses settings of the session that it does not know how to follow. */
const isRefusedSetting = (error: Error): boolean =>
  codeOf(error) === '08P01' && error.message.includes('unsupported startup parameter')

const SESSION_SETTINGS = ['options', 'statement_timeout', 'idle_in_transaction_session_timeout'] as const

/** How often one caller tries before it hears why not: others who look at the same time may move it past a server. */
const ROUNDS = 3

export class ServersPool extends pg.Pool {
  readonly #several: ServersOptions | null
  /** Connections made before this count are not used again. */
  #generation = 0
  readonly #made = new WeakMap<pg.PoolClient, number>()
  readonly #failed: WeakMap<Error, string>
  readonly #place: Place

  constructor(options: pg.PoolConfig, several: ServersOptions | null) {
    const place: Place = { current: 0 }
    const failed = new WeakMap<Error, string>()
    super(several === null ? options : { ...options, Client: clientOf(several, place, failed) })
    this.#several = several
    this.#place = place
    this.#failed = failed
    this.on('connect', (client) => this.#made.set(client, this.#generation))
    this.on('release', (error, client) => {
      // Of many statements that fail at once, the first one leaves.
      if (codeOf(error) === READ_ONLY && this.#made.get(client) === this.#generation) this.#leave()
    })
  }

  override connect(): Promise<pg.PoolClient>
  override connect(callback: Connected): void
  override connect(callback?: Connected): Promise<pg.PoolClient> | undefined {
    const found = this.#find()
    if (callback === undefined) return found
    found.then(
      (client) => callback(undefined, client, client.release),
      (error: Error) => callback(error, undefined, () => {}),
    )
    return undefined
  }

  async #find(): Promise<pg.PoolClient> {
    const failures = new Map<string, Error>()
    for (let failed = 0; ; ) {
      try {
        const client = await super.connect()
        if (this.#made.get(client) === this.#generation) return client
        client.release(true)
      } catch (error) {
        failed += 1
        const wrong = this.#wrongAfter(error as Error, failures, failed)
        if (wrong !== null) throw wrong
      }
    }
  }

  /** What the caller hears; null: it is worth another try. */
  #wrongAfter(error: Error, failures: Map<string, Error>, failed: number): Error | null {
    if (isRefusedSetting(error) && failed <= (this.#several?.servers.length ?? 1)) {
      this.#leaveSettingsOut()
      return null
    }
    const server = this.#failed.get(error)
    // The pool's own errors: it has ended, or all of its connections were busy for too long.
    if (this.#several === null || server === undefined) return error
    failures.set(server, error)
    const { servers } = this.#several
    if (failures.size < servers.length && failed < ROUNDS * servers.length) return null
    return new NoServerError([...failures].map(failureOf))
  }

  /** Behind PgBouncer they are the role's: see pooler.ts. */
  #leaveSettingsOut(): void {
    const options = this.options as pg.PoolConfig
    for (const name of SESSION_SETTINGS) delete options[name]
  }

  #leave(): void {
    this.#generation += 1
    if (this.#several !== null) this.#place.current = (this.#place.current + 1) % this.#several.servers.length
  }
}

/** The server that new connections begin with: the one that was right last. */
type Place = { current: number }

function clientOf({ servers, wanted, serverMs }: ServersOptions, place: Place, failed: WeakMap<Error, string>) {
  const found = class extends pg.Client {
    readonly #at = place.current
    readonly #name: string

    constructor(options: pg.ClientConfig) {
      const { name, ...server } = servers[place.current] as Server
      super({ ...options, ...server, connectionTimeoutMillis: serverMs } as pg.ClientConfig)
      this.#name = name
    }

    override connect(): Promise<pg.Client>
    override connect(callback: (error: Error) => void): void
    override connect(callback?: (error: Error) => void): Promise<pg.Client> | undefined {
      const found = this.#found()
      if (callback === undefined) return found
      found.then(() => callback(null as unknown as Error), callback)
      return undefined
    }

    async #found(): Promise<pg.Client> {
      try {
        await super.connect()
        if (wanted !== 'any') await this.#prove(wanted)
        return this
      } catch (thrown) {
        const error = isSilence(thrown as Error)
          ? new UnfitServer(`no answer within ${serverMs} ms`)
          : (thrown as Error)
        failed.set(error, this.#name)
        if (place.current === this.#at) place.current = (this.#at + 1) % servers.length
        throw error
      }
    }

    async #prove(one: Exclude<WantedServer, 'any'>): Promise<void> {
      try {
        const { rows } = await this.query<{ isStandby: boolean; isReadOnly: boolean }>({
          text: `select pg_is_in_recovery() as "isStandby", current_setting('transaction_read_only') = 'on' as "isReadOnly"`,
          query_timeout: serverMs,
        } as pg.QueryConfig)
        if (rows[0]?.isStandby !== false) throw new UnfitServer('a standby')
        if (one === 'read-write' && rows[0].isReadOnly) throw new UnfitServer('read-only')
      } catch (error) {
        // Nobody waits for a server that may have fallen silent.
        this.end().catch(() => {})
        throw error
      }
    }
  }
  // Its type knows only clients that need no options.
  return found as unknown as NonNullable<pg.PoolConfig['Client']>
}

const isSilence = ({ message }: Error): boolean => /^timeout expired|^Query read timeout/.test(message)
