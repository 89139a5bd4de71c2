/** `GET /reference`: the OpenAPI document as a page to read. Its scripts, styles and pictures are all from this server. */
import type { FastifyInstance } from 'fastify'
import type { World } from '../world.ts'
import { pageHeaders } from './page-headers.ts'
import { staticPages } from './static-pages.ts'

const NOT_BUILT = '接口文档页面尚未编译，请运行 npm run build (the reference is not built, run npm run build)\n'

export function referenceRoutes(app: FastifyInstance, world: World): void {
  const pages = staticPages(world, { app: 'reference', notBuilt: NOT_BUILT })
  app.register((scope, _options, done) => {
    pages.serve(scope)
    scope.get('/reference', { exposeHeadRoute: false }, (_request, reply) => {
      const page = pages.text('index.html')
      if (page === null) return pages.sendNotBuilt(reply)
      // Redoc writes its styles at run time. The browser applies only those that carry this nonce.
      const nonce = world.newNonce()
      const headers = pageHeaders({
        style: `'self' 'nonce-${nonce}'`,
        img: "'self' data:",
        frameAncestors: "'none'",
      })
      return reply.headers(headers).send(page.replaceAll('__CSP_NONCE__', nonce))
    })
    done()
  })
}
