/** What the machine can do, measured in the same run, to compare the other figures with. */
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Microseconds of one core for one RSA-2048 signature, and what measured it. */
export function signatureMicros(seconds: number): { us: number; measuredBy: string } {
  const openssl = spawnSync('openssl', ['speed', '-seconds', String(seconds), 'rsa2048'], { encoding: 'utf8' })
  const perSecond = signedPerSecond(openssl.stdout ?? '')
  if (perSecond !== null) return { us: 1e6 / perSecond, measuredBy: 'openssl speed rsa2048' }
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const until = performance.now() + seconds * 1000
  const start = performance.now()
  let count = 0
  for (; performance.now() < until; count += 1) sign('sha256', Buffer.alloc(500), privateKey)
  return { us: ((performance.now() - start) * 1000) / count, measuredBy: 'crypto.sign (no openssl on this machine)' }
}

export type Ceiling = {
  /** Microseconds of one core for one signature. */
  us: number
  /** Signatures a second when every core does nothing else. */
  perSecond: number
  measuredBy: string
}

/** One signature, and what all cores together sign in a second. Where `isQuick` the second is worked out of the first. */
export function ceilingOf(seconds: number, isQuick: boolean): Ceiling {
  const one = signatureMicros(seconds)
  const cores = availableParallelism()
  const all = isQuick ? null : signedByAll(seconds, cores)
  return { ...one, perSecond: all ?? (cores * 1e6) / one.us }
}

/** Null where there is no `openssl`. */
function signedByAll(seconds: number, cores: number): number | null {
  const args = ['speed', '-seconds', String(seconds), '-multi', String(cores), 'rsa2048']
  return signedPerSecond(spawnSync('openssl', args, { encoding: 'utf8' }).stdout ?? '')
}

const MICROS_PER_TICK = 10_000

function signedPerSecond(said: string): number | null {
  const perSecond = Number(/rsa 2048 bits +[\d.]+s +[\d.]+s +([\d.]+)/.exec(said)?.[1])
  return perSecond > 0 ? perSecond : null
}

/** The fields of /proc/PID/stat from the state on. */
function statOf(pid: number): number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
}

const sum = (ticks: number[]): number => ticks.reduce((one, other) => one + other, 0) * MICROS_PER_TICK

/** Microseconds of CPU a process has used so far, all its threads together. Linux only: from /proc. */
export const cpuMicros = (pid: number): number => sum(statOf(pid).slice(11, 13))

/** The same of a process and its children, also those that ended: PostgreSQL has a process for each connection. */
export function familyMicros(pid: number): number {
  return sum(statOf(pid).slice(11, 15)) + pidsOf(pid).reduce((micros, child) => micros + microsOrNone(child), 0)
}

const pidsOf = (parent: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => parentOf(child) === parent)

/** One that has just ended is counted with its parent from the next look on. */
function microsOrNone(pid: number): number {
  try {
    return cpuMicros(pid)
  } catch {
    return 0
  }
}

/** Null where the process has just ended. */
function parentOf(pid: number): number | null {
  try {
    return statOf(pid)[1] ?? null
  } catch {
    return null
  }
}

/** Microseconds in which the cores worked, by /proc/stat. What our processes did not use, other processes used. */
export function machineMicros(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] =
    readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]?.split(/ +/).slice(1).map(Number) ?? []
  return sum([user, nice, system, irq, softirq])
}

/** Bytes of memory that a process holds, and each of its children. */
export const residentBytesOf = (pid: number): number[] => [pid, ...pidsOf(pid)].map(residentBytes)

function residentBytes(pid: number): number {
  try {
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
