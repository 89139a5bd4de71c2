/** Sandbox mode only: opens everything that a sandbox has besides a gateway, before the gateway listens. */
import type { ExtraRoutes } from '../http/server.ts'
import type { MasterKeys } from '../security/vault.ts'
import type { World } from '../world.ts'
import { demoFile, seedDemo, writeDemo } from './demo-merchant.ts'
import { sandboxExtraRoutes } from './extra-routes.ts'
import { leaveHome, otherGateway, ownHome } from './home-owner.ts'
import { keepFollowing, sandboxClock, type TimeParts } from './time.ts'
import { type SandboxUpstreams, sandboxUpstreams, type UpstreamsPlace } from './upstreams.ts'
import { consoleFile, seedConsoleUsers, writeConsoleUsers } from './users.ts'

const REDELIVERY_PAUSE_MS = 1_000

export type SandboxFiles = {
  /** The file with the demo merchant's settings. */
  demoFile: string
  /** The file with the console's users and their passwords. */
  consoleFile: string
  /** Another gateway that runs in this home, and that the files go on naming. */
  otherUrl: string | null
}

/** What a sandbox has once, however many processes its gateway has. */
export type SandboxHost = {
  upstreams: SandboxUpstreams
  /** Tells clients where the gateway listens. */
  writeFiles: (platform: { url: string; platformPublicKey: string }) => SandboxFiles
  close: () => Promise<void>
}

type HostParts = {
  world: Pick<World, 'pool' | 'hashing' | 'now' | 'sleep' | 'log'>
  home: string
  master: MasterKeys
  signal: AbortSignal
  place?: UpstreamsPlace
}

export async function openSandbox({ world, home, master, signal, place }: HostParts): Promise<SandboxHost> {
  const otherUrl = await otherGateway(home)
  const demo = await seedDemo(world.pool, home, world.now())
  signal.throwIfAborted()
  const console = await seedConsoleUsers(world, home)
  signal.throwIfAborted()
  const upstreams = sandboxUpstreams(world.pool, world, place)
  await upstreams.open(master)
  // The upstreams send webhooks again that this gateway has not acknowledged.
  const redelivery = setInterval(() => void upstreams.deliverDue(), REDELIVERY_PAUSE_MS)
  return {
    upstreams,
    writeFiles({ url, platformPublicKey }) {
      const isOwner = otherUrl === null
      const { mchPrivateKey } = demo
      if (isOwner || demo.isNew) writeDemo(home, { baseUrl: url, mchPrivateKey, platformPublicKey })
      if (isOwner || console.isNew) writeConsoleUsers(home, url, console.users)
      if (isOwner) ownHome(home, url)
      return { demoFile: demoFile(home), consoleFile: consoleFile(home), otherUrl }
    },
    async close() {
      clearInterval(redelivery)
      leaveHome(home)
      await upstreams.stop()
    },
  }
}

type Served = Omit<TimeParts, 'deliverDue'> & { upstreams: SandboxUpstreams; home: string }

/** What each process that serves has: the routes, and the clock that is moved with that of the others. */
export function serveSandbox({ upstreams, home, ...parts }: Served): {
  routes: ExtraRoutes
  stop: () => Promise<void>
} {
  const clock = sandboxClock({ ...parts, deliverDue: upstreams.deliverDue })
  const following = keepFollowing(parts)
  return { routes: sandboxExtraRoutes({ world: parts.world, upstreams, clock }, home), stop: following.stop }
}
