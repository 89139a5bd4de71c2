/** The routes that a server has registered, so that a table of them can be held against what there is. */
import type { FastifyInstance } from 'fastify'

/** Every route as `METHOD /path`, read from the router's own tree of prefixes. */
export function routesOf(app: FastifyInstance): string[] {
  const prefixes: string[] = []
  return app
    .printRoutes()
    .split('\n')
    .flatMap((line) => {
      const found = /^([│ ]*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line)
      if (found === null) return []
      const depth = (found[1] as string).length / 4
      prefixes.splice(depth, prefixes.length, found[2] as string)
      return (found[3]?.split(', ') ?? []).map((method) => `${method} ${prefixes.join('')}`)
    })
}
