/** Sandbox mode only: the routes that a sandbox has beside those of every gateway. */
import { sandboxRoutes } from './http/sandbox.ts'
import type { ExtraRoutes } from './http/server.ts'
import { sandboxConsole } from './sandbox-console-routes.ts'
import type { SandboxUpstreams } from './sandbox-upstreams.ts'
import type { World } from './world.ts'

/** `home` is the folder that holds the demo merchant's settings. */
export const sandboxExtraRoutes = (world: World, upstreams: SandboxUpstreams, home: string): ExtraRoutes => ({
  consoleEndpoints: sandboxConsole(upstreams, home),
  register: (app) => sandboxRoutes(app, world, upstreams),
})
