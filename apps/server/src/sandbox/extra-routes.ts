/** Sandbox mode only: the routes that a sandbox adds to those of every gateway. */

import type { ExtraRoutes } from '../http/server.ts'
import type { World } from '../world.ts'
import { sandboxConsole } from './console-routes.ts'
import { sandboxRoutes } from './routes.ts'
import type { SandboxUpstreams } from './upstreams.ts'

/** `home` is the folder that holds the demo merchant's settings. */
export const sandboxExtraRoutes = (world: World, upstreams: SandboxUpstreams, home: string): ExtraRoutes => ({
  consoleEndpoints: sandboxConsole(upstreams, home),
  register: (app) => sandboxRoutes(app, world, upstreams),
})
