/** How many processes a gateway has. */
import { readFileSync } from 'node:fs'
import os from 'node:os'
import type { Config } from '../config.ts'

export const processesOf = ({ processes }: Pick<Config, 'processes'>): number =>
  processes === 'auto' ? coresHere(os.availableParallelism(), readText) : processes

/** Cores to use. Node does not count what a container, or a unit of systemd, may use of them. */
export function coresHere(cores: number, read: (file: string) => string | null): number {
  const own = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/'
  const [quota, period] = (read(`/sys/fs/cgroup${own === '/' ? '' : own}/cpu.max`) ?? '').trim().split(' ')
  const allowed = Math.ceil(Number(quota) / Number(period))
  return allowed >= 1 ? Math.min(cores, allowed) : cores
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
