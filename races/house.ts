/** The gateways of one run and their own database: starts them, kills them, starts them again, and removes them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ask } from './http.ts'
import { openPostgres, type Postgres } from './postgres.ts'
import { CALM, type Weather } from './weather.ts'

export type HouseOptions = {
  gateways: number
  /** The checkout whose gateway is started. */
  dir: string
  env: Record<string, string>
  /** Called when a process ended although this run did not kill it. */
  died: (what: string) => void
}

/** What `demo.json` and `console.json` hold (docs/sandbox.md, docs/console.md). */
export type Demo = { mchNo: string; appNo: string; mchPrivateKey: string; platformPublicKey: string }
export type ConsoleUser = { username: string; role: string; password: string }

export type House = {
  demo: Demo
  users: ConsoleUser[]
  /** The address of a gateway that is up; each call takes the next one. */
  gateway: () => string
  /** Sets the faults of each gateway and upstream, also of gateways that start later. */
  setWeather: (weatherAt: (gateway: number, channel: 'wechat' | 'alipay') => Weather) => Promise<void>
  /** Whether all gateways and the database are up. */
  isWhole: () => boolean
  /** kill -9; the house starts the killed processes again. */
  kill: (what: { gateways: number[]; database: boolean }) => void
  /** Stops all gateways and starts them again with these settings added. */
  restart: (env: Record<string, string>) => Promise<void>
  stop: () => Promise<void>
}

type Gateway = { port: number; child: ChildProcess | null; isReady: boolean }

/** The state of one house; the functions below change it. */
type State = Pick<HouseOptions, 'dir' | 'died'> & {
  home: string
  gateways: Gateway[]
  postgres: Postgres | null
  settings: Record<string, string>
  isStopping: boolean
  isDatabaseKilled: boolean
  weatherAt: Parameters<House['setWeather']>[0]
}

const CHANNELS = ['wechat', 'alipay'] as const
const START_MS = 120_000
/** Gateways that lost their database may still be ending for this long after it has started again. */
const AFTER_DATABASE_MS = 5_000

export async function openHouse({ gateways: count, dir, env, died }: HouseOptions): Promise<House> {
  const state: State = {
    dir,
    died,
    home: fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-races-')),
    gateways: [],
    postgres: null,
    settings: {},
    isStopping: false,
    isDatabaseKilled: false,
    weatherAt: () => CALM,
  }
  const sweep = (): void => killAll(state)
  process.once('exit', sweep)
  try {
    await openAll(state, count, env)
  } catch (error) {
    sweep()
    throw error
  }
  return {
    demo: readSettings<Demo>(state, 'demo.json'),
    users: readSettings<{ users: ConsoleUser[] }>(state, 'console.json').users,
    gateway: gatewaysInTurn(state),
    setWeather: (weatherAt) => setWeather(state, weatherAt),
    isWhole: () => isWhole(state),
    kill: (what) => kill(state, what),
    async restart(more) {
      // A killed gateway that is still starting would compete with the new one for its port.
      await untilWhole(state)
      await endAll(state)
      state.isStopping = false
      Object.assign(state.settings, more)
      for (const index of state.gateways.keys()) await begin(state, index)
    },
    async stop() {
      await endAll(state)
      await state.postgres?.stop()
      process.removeListener('exit', sweep)
      removeHome(state)
    },
  }
}

async function openAll(state: State, count: number, env: Record<string, string>): Promise<void> {
  const { home, gateways } = state
  state.settings = {
    ACOPAY_HOME: path.join(home, 'gateway'),
    DATABASE_URL: env.DATABASE_URL ?? (await ownDatabase(state)),
    ...COMMON,
    ...env,
  }
  for (let index = 0; index < count; index++) gateways.push({ port: await freePort(), child: null, isReady: false })
  // One after the other: the first gateway builds and migrates.
  for (const index of gateways.keys()) await begin(state, index)
}

async function ownDatabase(state: State): Promise<string> {
  state.postgres = await openPostgres(path.join(state.home, 'pg'))
  await state.postgres.start()
  return state.postgres.url
}

const readSettings = <Read>({ home }: State, name: string): Read =>
  JSON.parse(fs.readFileSync(path.join(home, 'gateway', name), 'utf8')) as Read

/** Starts a gateway; throws its output when it ends before it listens. */
async function begin(state: State, index: number): Promise<void> {
  const gateway = state.gateways[index] as Gateway
  const child = spawn(process.execPath, [path.join(state.dir, 'scripts', 'start.cjs')], {
    cwd: state.dir,
    // The `.env` of whoever works here is not for this gateway.
    env: { ...process.env, ACOPAY_ENV_FILE: 'none', ...state.settings, PORT: String(gateway.port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  gateway.child = child
  await announced(child)
  // The weather may change while it is being set: a gateway that is not ready yet would keep the old faults for ever.
  for (let weather: State['weatherAt'] | null = null; weather !== state.weatherAt; ) {
    weather = state.weatherAt
    await setFaults(state, index)
  }
  gateway.isReady = true
  child.once('exit', (code, signal) => {
    gateway.isReady = false
    if (state.isStopping) return
    const isKilled = signal === 'SIGKILL' || state.isDatabaseKilled
    if (!isKilled) state.died(`gateway ${index + 1} ended by itself: ${code ?? signal}`)
    void revive(state, index)
  })
}

/** Starts a gateway again; tries until it runs, since it cannot start while the database is down. */
async function revive(state: State, index: number): Promise<void> {
  for (const untilMs = Date.now() + START_MS; !state.isStopping && Date.now() < untilMs; await pause(200)) {
    const isUp = await begin(state, index).then(
      () => true,
      () => false,
    )
    if (isUp) return
  }
  if (!state.isStopping) state.died(`gateway ${index + 1} did not start again`)
}

const isWhole = ({ isDatabaseKilled, gateways }: State): boolean =>
  !isDatabaseKilled && gateways.every(({ isReady }) => isReady)

async function untilWhole(state: State): Promise<void> {
  for (const untilMs = Date.now() + START_MS; !isWhole(state) && Date.now() < untilMs; ) await pause(200)
}

async function setFaults({ gateways, weatherAt }: State, index: number): Promise<void> {
  const base = `http://127.0.0.1:${gateways[index]?.port}`
  for (const channel of CHANNELS) {
    const { faults } = weatherAt(index, channel)
    const reply = await ask(`${base}/sandbox/upstreams/${channel}/faults`, {
      method: 'PUT',
      body: JSON.stringify(faults),
    })
    if (reply.status !== 200) throw new Error(`faults: ${reply.text}`)
  }
}

async function setWeather(state: State, weatherAt: State['weatherAt']): Promise<void> {
  state.weatherAt = weatherAt
  const ready = [...state.gateways.keys()].filter((index) => state.gateways[index]?.isReady)
  // A gateway that ends meanwhile gets the weather when it starts again.
  await Promise.all(ready.map((index) => setFaults(state, index).catch(() => {})))
}

function gatewaysInTurn({ gateways }: State): () => string {
  let turn = 0
  return () => {
    turn += 1
    const ready = gateways.filter(({ isReady }) => isReady)
    const chosen = ready[turn % Math.max(1, ready.length)] ?? gateways[turn % gateways.length]
    return `http://127.0.0.1:${chosen?.port}`
  }
}

function kill(state: State, { gateways: dying, database }: Parameters<House['kill']>[0]): void {
  if (database && state.postgres !== null) {
    state.isDatabaseKilled = true
    state.postgres.kill()
    void restartDatabase(state).catch((error: Error) => !state.isStopping && state.died(error.message))
  }
  for (const index of dying) {
    const gateway = state.gateways[index]
    if (gateway !== undefined) gateway.isReady = false
    gateway?.child?.kill('SIGKILL')
  }
}

async function restartDatabase(state: State): Promise<void> {
  await state.postgres?.start()
  await pause(AFTER_DATABASE_MS)
  state.isDatabaseKilled = false
}

async function endAll(state: State): Promise<void> {
  state.isStopping = true
  await Promise.all(state.gateways.map(endGently))
}

/** For a run that ends early: leaves no process and no file behind. */
function killAll(state: State): void {
  state.isStopping = true
  for (const pid of [...state.gateways.map(({ child }) => child?.pid), state.postgres?.pid()]) endNow(pid)
  removeHome(state)
}

const removeHome = ({ home }: State): void =>
  fs.rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })

/** Jobs pause for a short time, so that orders come to rest soon; all other settings are production's. */
const COMMON = { ACOPAY_JOB_PAUSE_MS: '100', LOG_LEVEL: 'silent', ACOPAY_RATE_PER_ADDRESS: '0', ACOPAY_MODE: 'sandbox' }

function announced(child: ChildProcess): Promise<void> {
  let text = ''
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      text = (text + chunk.toString()).slice(-8_000)
      if (/ACO Pay gateway +http:\S+[\s\S]*\n\n/.test(text)) resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${text}`)))
  })
}

const GENTLE_MS = 20_000

async function endGently({ child }: Gateway): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), GENTLE_MS)
  await ended
  clearTimeout(late)
}

function endNow(pid: number | null | undefined): void {
  try {
    if (pid) process.kill(pid, 'SIGKILL')
  } catch {
    // The process has ended already.
  }
}

/** Chosen once, so that a gateway keeps its address when it is started again. */
async function freePort(): Promise<number> {
  const server = net.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
