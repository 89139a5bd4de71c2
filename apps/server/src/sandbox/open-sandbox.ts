/** Sandbox mode only: opens everything that a sandbox has besides a gateway, before the gateway listens. */
import type { ExtraRoutes } from '../http/server.ts'
import type { MasterKeys } from '../security/vault.ts'
import { demoFile, seedDemo, writeDemo } from './demo-merchant.ts'
import { sandboxExtraRoutes } from './extra-routes.ts'
import { leaveHome, otherGateway, ownHome } from './home-owner.ts'
import { sandboxClock, type TimeParts } from './time.ts'
import { type SandboxUpstreams, sandboxUpstreams } from './upstreams.ts'
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

export type Sandbox = {
  upstreams: SandboxUpstreams
  routes: ExtraRoutes
  /** Tells clients where the gateway listens. */
  writeFiles: (platform: { url: string; platformPublicKey: string }) => SandboxFiles
  close: () => Promise<void>
}

type Options = Pick<TimeParts, 'world' | 'setAheadMs' | 'byHand'> & {
  home: string
  master: MasterKeys
  signal: AbortSignal
}

export async function openSandbox({ home, master, signal, ...parts }: Options): Promise<Sandbox> {
  const { world } = parts
  const otherUrl = await otherGateway(home)
  const demo = await seedDemo(world.pool, home, world.now())
  signal.throwIfAborted()
  const console = await seedConsoleUsers(world, home)
  signal.throwIfAborted()
  const upstreams = sandboxUpstreams(world.pool, world)
  await upstreams.open(master)
  // The upstreams send webhooks again that this gateway has not acknowledged.
  const clock = sandboxClock({ ...parts, deliverDue: upstreams.deliverDue })
  const following = clock.keepFollowing()
  const redelivery = setInterval(() => void upstreams.deliverDue(), REDELIVERY_PAUSE_MS)
  return {
    upstreams,
    routes: sandboxExtraRoutes({ world, upstreams, clock }, home),
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
      await following.stop()
      leaveHome(home)
      await upstreams.stop()
    },
  }
}
