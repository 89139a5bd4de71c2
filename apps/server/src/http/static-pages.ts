/** The built pages of an app (the cashier, the console): their HTML, and the scripts, styles and pictures beside it. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { movedText } from '@acopay/protocol'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { pagesFolder } from '../program-files.ts'
import type { World } from '../world.ts'
import { NO_SNIFFING } from './page-headers.ts'

const YEAR_MS = 31_536_000_000

export type StaticPages = {
  /** Serves the files below the prefix. Their names carry a hash of their contents, so browsers keep them for a year. */
  serve: (app: FastifyInstance) => void
  /** The text of a built page, whose file is read once; null where the pages are not built. */
  text: (name: string) => string | null
  /** Answers that the pages are not built. */
  sendNotBuilt: (reply: FastifyReply) => FastifyReply
}

type PagesOf = { app: 'cashier' | 'console' | 'reference'; notBuilt: string; lasting?: string[] }

/** `lasting` are files without a hash in their names: other sites include them by that name, so browsers ask again soon. */
export function staticPages(world: World, { app, notBuilt, lasting = [] }: PagesOf): StaticPages {
  const root = pagesFolder(app)
  const texts = new Map<string, string>()
  return {
    serve: (server) => {
      server.register(fastifyStatic, {
        root,
        prefix: `/${app}/`,
        wildcard: false,
        index: false,
        globIgnore: ['*.html', '**/*.{br,gz}'],
        // Where the build left a compressed file beside one, and the browser takes it.
        preCompressed: true,
        maxAge: YEAR_MS,
        immutable: true,
        setHeaders: (reply, file) => {
          reply.headers(NO_SNIFFING)
          const plain = file.replace(/\.(?:br|gz)$/, '')
          if (!lasting.some((name) => plain.endsWith(name))) return
          // A site that names the digest of such a script can check it only if it may read it.
          reply.header('cache-control', 'public, max-age=300').header('access-control-allow-origin', '*')
        },
      })
    },
    text(name) {
      const known = texts.get(name)
      const file = path.join(root, name)
      if (known === undefined && !existsSync(file)) return null
      const built = known ?? readFileSync(file, 'utf8')
      texts.set(name, built)
      return world.isSandbox ? withBand(built, world.aheadMs()) : built
    },
    sendNotBuilt: (reply) => reply.code(503).type('text/plain; charset=utf-8').send(notBuilt),
  }
}

/** The pages' styles show a band at the top then, without any script: that it is a sandbox, and how far its clock was moved. */
const withBand = (page: string, aheadMs: number): string =>
  page
    .replace('<html ', '<html data-mode="sandbox" ')
    .replace('<body', () => `<body data-moved="${movedText(Math.round(aheadMs / 1000))}"`)
