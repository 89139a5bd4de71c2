/** Sandbox mode only: the routes that a sandbox adds to those of every gateway. */

import type { ExtraRoutes } from '../http/server.ts'
import { sandboxConsole } from './console-routes.ts'
import { type SandboxParts, sandboxRoutes } from './routes.ts'

/** `home` is the folder that holds the demo merchant's settings. */
export const sandboxExtraRoutes = (parts: SandboxParts, home: string): ExtraRoutes => ({
  consoleEndpoints: sandboxConsole(parts, home),
  register: (app) => sandboxRoutes(app, parts),
})
