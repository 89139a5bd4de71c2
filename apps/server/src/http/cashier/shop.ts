/** What payers see of the shop that an order's app is: its picture, its colour, and the way back to it. */
import type { PayersShop } from '@acopay/protocol'
import { textOn } from '@acopay/protocol/console'
import { type CashierApp, readLogo } from '@acopay/store/read'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { World } from '../../world.ts'
import { LOGO_ROUTE, logoPath } from '../logo-path.ts'
import { NO_SNIFFING } from '../page-headers.ts'

/** Written into the page beside the order. */
export function shopOf(mchNo: string, app: CashierApp | null): PayersShop {
  if (app === null) return { return_url: null, logo: null, color: null, text_color: null }
  const { returnUrl, brandColor } = app
  return {
    return_url: returnUrl,
    logo: logoPath(mchNo, app),
    color: brandColor,
    text_color: brandColor === null ? null : textOn(brandColor),
  }
}

const DIGEST = /^[0-9a-f]{32}$/

type LogoPath = { Params: { mchNo: string; appNo: string; digest: string } }

/** Pictures come from our own origin only, so that no other server hears of a payer. */
export function logoRoute(app: FastifyInstance, world: World): void {
  app.get<LogoPath>(
    LOGO_ROUTE,
    { exposeHeadRoute: false },
    async ({ params }: FastifyRequest<LogoPath>, reply: FastifyReply) => {
      const logo = DIGEST.test(params.digest) ? await readLogo(world.pool, params, params.digest) : null
      if (logo === null) return reply.callNotFound()
      return reply
        .headers({
          ...NO_SNIFFING,
          // Opened by itself it is a picture and nothing else, whatever its bytes hold.
          'content-security-policy': "default-src 'none'; sandbox",
          'cache-control': 'public, max-age=31536000, immutable',
        })
        .type(logo.type)
        .send(logo.bytes)
    },
  )
}
