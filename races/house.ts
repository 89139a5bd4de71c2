/** The gateways of one run, on a database of their own: started, killed, started again, and gone at the end. */
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
  /** A process that ended although this run did not kill it. */
  died: (what: string) => void
}

/** What `demo.json` and `console.json` hold (docs/sandbox.md, docs/console.md). */
export type Demo = { mchNo: string; appNo: string; mchPrivateKey: string; platformPublicKey: string }
export type ConsoleUser = { username: string; role: string; password: string }

export type House = {
  demo: Demo
  users: ConsoleUser[]
  /** The address of a gateway that is alive, in turn. */
  gateway: () => string
  /** `weatherAt` says the weather of each gateway and upstream; it is set again after a restart. */
  setWeather: (weatherAt: (gateway: number, channel: 'wechat' | 'alipay') => Weather) => Promise<void>
  /** Whether all gateways and the database stand. */
  isWhole: () => boolean
  /** kill -9; whoever is dead is started again by itself. */
  kill: (what: { gateways: number[]; database: boolean }) => void
  /** Stops all gateways and starts them with more settings. */
  restart: (env: Record<string, string>) => Promise<void>
  stop: () => Promise<void>
}

type Gateway = { port: number; child: ChildProcess | null; isReady: boolean }

const CHANNELS = ['wechat', 'alipay'] as const
const START_MS = 120_000

export async function openHouse({ gateways: count, dir, env, died }: HouseOptions): Promise<House> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-races-'))
  const gateways: Gateway[] = []
  let postgres: Postgres | null = null
  let settings: Record<string, string> = {}
  let isStopping = false
  let isDatabaseKilled = false
  let weatherAt: Parameters<House['setWeather']>[0] = () => CALM
  let turn = 0

  const sweep = (): void => {
    isStopping = true
    for (const pid of [...gateways.map(({ child }) => child?.pid), postgres?.pid()]) endNow(pid)
    fs.rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
  process.once('exit', sweep)

  const setFaults = async (index: number): Promise<void> => {
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

  /** Resolves when it listens; throws what it wrote when it ends before. */
  const begin = async (index: number): Promise<void> => {
    const gateway = gateways[index] as Gateway
    const child = spawn(process.execPath, [path.join(dir, 'scripts', 'start.cjs')], {
      cwd: dir,
      env: { ...process.env, ...settings, PORT: String(gateway.port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    gateway.child = child
    await announced(child)
    await setFaults(index)
    gateway.isReady = true
    child.once('exit', (code, signal) => {
      gateway.isReady = false
      if (isStopping) return
      if (signal !== 'SIGKILL' && !isDatabaseKilled) died(`gateway ${index + 1} ended by itself: ${code ?? signal}`)
      void revive(index)
    })
  }
  /** Tries until it stands again: where the database is down too it cannot. */
  const revive = async (index: number): Promise<void> => {
    for (const untilMs = Date.now() + START_MS; !isStopping && Date.now() < untilMs; await pause(200)) {
      if (
        await begin(index).then(
          () => true,
          () => false,
        )
      )
        return
    }
    if (!isStopping) died(`gateway ${index + 1} did not start again`)
  }
  const endAll = async (): Promise<void> => {
    isStopping = true
    await Promise.all(gateways.map(endGently))
  }

  try {
    postgres = await openPostgres(path.join(home, 'pg'))
    await postgres.start()
    settings = { ACOPAY_HOME: path.join(home, 'gateway'), DATABASE_URL: postgres.url, ...COMMON, ...env }
    for (let index = 0; index < count; index++) gateways.push({ port: await freePort(), child: null, isReady: false })
    // The first one builds and migrates.
    for (const index of gateways.keys()) await begin(index)
  } catch (error) {
    sweep()
    throw error
  }
  const read = <Read>(name: string): Read =>
    JSON.parse(fs.readFileSync(path.join(home, 'gateway', name), 'utf8')) as Read
  return {
    demo: read<Demo>('demo.json'),
    users: read<{ users: ConsoleUser[] }>('console.json').users,
    gateway() {
      turn += 1
      const ready = gateways.filter(({ isReady }) => isReady)
      const chosen = ready[turn % Math.max(1, ready.length)] ?? gateways[turn % gateways.length]
      return `http://127.0.0.1:${chosen?.port}`
    },
    async setWeather(next) {
      weatherAt = next
      const ready = [...gateways.keys()].filter((index) => gateways[index]?.isReady)
      // One that dies meanwhile is given the weather when it stands again.
      await Promise.all(ready.map((index) => setFaults(index).catch(() => {})))
    },
    isWhole: () => !isDatabaseKilled && gateways.every(({ isReady }) => isReady),
    kill({ gateways: dying, database }) {
      if (database && postgres !== null) {
        isDatabaseKilled = true
        postgres.kill()
        const after = async () => {
          await postgres?.start()
          // Gateways that lost it may still be ending.
          await pause(5_000)
          isDatabaseKilled = false
        }
        void after().catch((error: Error) => !isStopping && died(error.message))
      }
      for (const index of dying) {
        const gateway = gateways[index]
        if (gateway !== undefined) gateway.isReady = false
        gateway?.child?.kill('SIGKILL')
      }
    },
    async restart(more) {
      await endAll()
      isStopping = false
      Object.assign(settings, more)
      for (const index of gateways.keys()) await begin(index)
    },
    async stop() {
      await endAll()
      await postgres?.stop()
      process.removeListener('exit', sweep)
      fs.rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}

/** Short pauses, so that rest comes soon; the rest is what production has. */
const COMMON = { ACOPAY_JOB_PAUSE_MS: '100', LOG_LEVEL: 'silent', ACOPAY_RATE_PER_ADDRESS: '0', ACOPAY_MODE: 'sandbox' }

function announced(child: ChildProcess): Promise<void> {
  let text = ''
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      text = (text + chunk.toString()).slice(-8_000)
      if (/ACO Pay gateway +http:\S+[\s\S]*\n\n/.test(text)) resolve()
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
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
    // It has ended.
  }
}

/** Fixed from here on, so that a gateway that is started again has the address it had. */
async function freePort(): Promise<number> {
  const server = net.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
