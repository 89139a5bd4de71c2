/** What the machine can do, measured in the same run, to compare the other figures with. */
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

/** Microseconds of one core for one RSA-2048 signature, and what measured it. */
export function signatureMicros(seconds: number): { us: number; measuredBy: string } {
  const openssl = spawnSync('openssl', ['speed', '-seconds', String(seconds), 'rsa2048'], { encoding: 'utf8' })
  const perSecond = Number(/rsa 2048 bits +[\d.]+s +[\d.]+s +([\d.]+)/.exec(openssl.stdout ?? '')?.[1])
  if (perSecond > 0) return { us: 1e6 / perSecond, measuredBy: 'openssl speed rsa2048' }
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const until = performance.now() + seconds * 1000
  const start = performance.now()
  let count = 0
  for (; performance.now() < until; count += 1) sign('sha256', Buffer.alloc(500), privateKey)
  return { us: ((performance.now() - start) * 1000) / count, measuredBy: 'crypto.sign (no openssl on this machine)' }
}

const MICROS_PER_TICK = 10_000

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
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => parentOf(child) === pid)
  return sum(statOf(pid).slice(11, 15)) + children.reduce((micros, child) => micros + cpuMicros(child), 0)
}

/** Null where the process has just ended. */
function parentOf(pid: number): number | null {
  try {
    return statOf(pid)[1] ?? null
  } catch {
    return null
  }
}
