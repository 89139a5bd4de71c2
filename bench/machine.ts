/** What the machine can do, measured in the same run, to compare the other figures with. */
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'

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

/** Microseconds of CPU a process has used so far, all its threads together. Linux only: from /proc. */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const [userTicks, systemTicks] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return ((userTicks ?? 0) + (systemTicks ?? 0)) * 10_000
}
