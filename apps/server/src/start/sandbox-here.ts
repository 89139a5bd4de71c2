/** A sandbox as this process has it: all of it, or the part of a worker, whose parent has the rest. */
import type { ExtraRoutes } from '../http/server.ts'
import { openSandbox, type SandboxHost, serveSandbox } from '../sandbox/open-sandbox.ts'
import type { TimeParts } from '../sandbox/time.ts'
import { type SandboxUpstreams, sandboxUpstreams } from '../sandbox/upstreams.ts'
import type { MasterKeys } from '../security/vault.ts'
import type { Member } from './group/parent-link.ts'

type Parts = Pick<TimeParts, 'world' | 'setAheadMs' | 'byHand'> & {
  home: string
  master: MasterKeys
  signal: AbortSignal
  member: Member | null
  opened: (() => Promise<unknown>)[]
}

export type SandboxHere = {
  upstreams: SandboxUpstreams
  routes: ExtraRoutes
  /** Null in a worker. */
  writeFiles: SandboxHost['writeFiles'] | null
}

/** Null in production. Adds to `opened` what closes it. */
export async function sandboxHere({ member, opened, master, signal, ...parts }: Parts): Promise<SandboxHere | null> {
  const { world, home } = parts
  if (!world.isSandbox) return null
  const host = member === null ? await openSandbox({ world, home, master, signal }) : null
  if (host !== null) opened.push(host.close)
  const upstreams = host?.upstreams ?? (await upstreamsOfParent(parts, master, member))
  const { routes, stop } = serveSandbox({ ...parts, upstreams })
  opened.push(stop)
  return { upstreams, routes, writeFiles: host?.writeFiles ?? null }
}

async function upstreamsOfParent({ world }: Pick<Parts, 'world'>, master: MasterKeys, member: Member | null) {
  const place = member && { url: member.post.upstreamsUrl, share: member.faults }
  const upstreams = sandboxUpstreams(world.pool, world, place ?? undefined)
  await upstreams.open(master)
  return upstreams
}
