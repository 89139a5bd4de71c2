/**
 * An upgrade as an operator does it, under load: two gateways of an older version behind a balancer, a migration, the gateways replaced
 * one by one, the next upgrade with a changed table and a new index, and the way back. Every call of the merchants is counted.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { openPool, type Pool } from '@acopay/store'
import type { DemoSettings } from '../../../apps/server/src/sandbox/demo-merchant.ts'
import { type Balancer, balancer } from './balancer.ts'
import { type Load, load, type Phase } from './load.ts'
import { type Program, programOf } from './programs.ts'

export type TrialOptions = {
  /** The version that runs at first. */
  commit: string
  orders: number
  lanes: number
  /** Everything below this folder is the trial's. What `seed-orders` left there before is used again. */
  folder: string
  say: (line: string) => void
}

/** What the version after this one may do to large tables: a column, an index, a rule that old rows are checked against. */
const NEXT = [
  `alter table orders add column trial_note text;
alter table orders add constraint trial_note_length check (length(trial_note) < 100) not valid;`,
  '-- concurrently\ncreate index concurrently trial_orders_by_change on orders (mch_no, changed_at);',
  'alter table orders validate constraint trial_note_length;',
]

/** Calls go on for so long before and after what is tried. */
const CALM_MS = 3000
/** Longer than the balancer needs to notice. */
const DRAIN_MS = 2000
/** A transaction that is open for so long is in the way of the migration. */
const IN_THE_WAY_MS = 3000

type Gateway = { url: string; child: ChildProcess }
type Trial = TrialOptions & {
  env: Record<string, string>
  balancer: Balancer
  load: Load
  gateways: Gateway[]
  pool: Pool
}

export async function upgradeTrial(options: TrialOptions): Promise<Phase[]> {
  const { folder, commit, say } = options
  mkdirSync(folder, { recursive: true })
  say(`three programs: ${commit}, this one, and this one with ${NEXT.length} migrations more`)
  const old = await programOf({ commit }, path.join(folder, 'old'))
  const now = await programOf('this', path.join(folder, 'now'))
  const next = await programOf({ added: NEXT }, path.join(folder, 'next'))
  const postgres = await startEmbeddedPostgres(path.join(folder, 'postgres'), { settings: { max_connections: '200' } })
  const env = envOf(folder, postgres)
  const pool = openPool({ connectionString: env.DATABASE_URL as string, max: 2, statementTimeoutMs: 60_000 })
  const gateways: Gateway[] = []
  const front = await balancer()
  try {
    say(`${options.orders} orders`)
    await run(old.seed, [String(options.orders)], env, say)
    for (const _ of [1, 2]) gateways.push(await startOne(old, env))
    for (const { url } of gateways) await behind(front, url)
    const demo = JSON.parse(readFileSync(path.join(folder, 'demo.json'), 'utf8')) as DemoSettings
    const trial = { ...options, env, balancer: front, load: load(demo, front.url, options.lanes), gateways, pool }
    await upgradeTwice(trial, { now, next, old })
    return await trial.load.end()
  } finally {
    for (const { child } of gateways) await ended(child, 'SIGKILL')
    await front.stop()
    await pool.end()
    await postgres.stop()
  }
}

async function upgradeTwice(trial: Trial, { now, next }: Record<'old' | 'now' | 'next', Program>): Promise<void> {
  const step = async (name: string, work: () => Promise<void>): Promise<void> => {
    trial.say(name)
    trial.load.begin(name)
    await work()
    await pause(CALM_MS)
  }
  await step('two gateways of the old version', async () => {})
  await step('migrate to this version', () => migrated(trial, now))
  // Version 0.1.0 closes its port in the same moment in which it says that it stops.
  await step('replace them, taken out of the balancer by hand', () => replaceAll(trial, now, 'by hand'))
  await step('migrate to the next version, with a transaction in the way', () =>
    inTheWay(trial, () => migrated(trial, next)),
  )
  await step('replace them by SIGTERM alone', () => replaceAll(trial, next, 'SIGTERM alone'))
  await step('back to this version by SIGTERM alone, on the newer database', () =>
    replaceAll(trial, now, 'SIGTERM alone'),
  )
}

const migrated = ({ env, say }: Trial, program: Program): Promise<void> =>
  run(program.migrate, ['up'], env, (line) => say(`  ${line}`))

async function inTheWay({ pool }: Trial, work: () => Promise<void>): Promise<void> {
  const client = await pool.connect()
  await client.query('begin')
  await client.query('lock table orders in row exclusive mode')
  const over = pause(IN_THE_WAY_MS).then(() => client.query('commit'))
  await Promise.all([work(), over])
  client.release()
}

/** A new one is started and ready before an old one is stopped. */
async function replaceAll(trial: Trial, program: Program, how: 'by hand' | 'SIGTERM alone'): Promise<void> {
  const { gateways, env, balancer: front } = trial
  for (const gateway of gateways.splice(0)) {
    const started = await startOne(program, env)
    gateways.push(started)
    await behind(front, started.url)
    if (how === 'by hand') {
      front.remove(gateway.url)
      await pause(DRAIN_MS)
    }
    const code = await ended(gateway.child, 'SIGTERM')
    front.remove(gateway.url)
    if (code !== 0) throw new Error(`a gateway ended with ${code}`)
  }
}

async function behind(front: Balancer, url: string): Promise<void> {
  front.add(url)
  while (!front.isReady(url)) await pause(50)
}

function envOf(folder: string, { connection }: EmbeddedPostgres): Record<string, string> {
  const { host, port, user, database } = connection
  return {
    ACOPAY_HOME: folder,
    DATABASE_URL: `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`,
    ACOPAY_MIGRATE: 'never',
    ACOPAY_DRAIN_MS: String(DRAIN_MS),
    // The load comes from one address.
    ACOPAY_RATE_PER_ADDRESS: '0',
    LOG_LEVEL: 'error',
    PORT: '0',
  }
}

/** Resolves when it says where it listens; throws what it printed when it ends before. */
async function startOne(program: Program, env: Record<string, string>): Promise<Gateway> {
  const child = spawn(process.execPath, [program.gateway], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const listening = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        said += chunk
        const url = /ACO Pay gateway +(http:\S+)[\s\S]*\n\n/.exec(said)?.[1]
        if (url !== undefined) resolve(url)
      })
    }
    child.once('exit', () => reject(new Error(said)))
  })
  return { url: await listening, child }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exit = once(child, 'exit')
  child.kill(signal)
  const [code] = await exit
  return code
}

async function run(
  file: string,
  args: string[],
  env: Record<string, string>,
  say: (line: string) => void,
): Promise<void> {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', say)
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${path.basename(file)} ${args.join(' ')} ended with ${code}`)
}
