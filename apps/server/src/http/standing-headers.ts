/** Headers that every answer of a gateway has, whatever the request was. */
import { timeText } from '@acopay/protocol'
import type { FastifyInstance } from 'fastify'
import type { World } from '../world.ts'

/** A year, as browsers ask of a site that is to be reached over HTTPS only. Other hosts of the domain are the operator's affair. */
const HSTS = 'max-age=31536000'

/** On the socket's own answer, so that streams, files, and refusals before any route have them too. */
export function standingHeaders(app: FastifyInstance, world: World, publicUrl: string | null): void {
  app.server.prependListener('request', (_request, answer) => {
    if (world.isSandbox) {
      answer.setHeader('x-acopay-mode', 'sandbox')
      answer.setHeader('x-acopay-sandbox-time', timeText(world.now()))
      answer.setHeader('x-acopay-sandbox-ahead', String(Math.round(world.aheadMs() / 1000)))
    }
    // A browser believes it over HTTPS only, which a proxy in front of the gateway speaks.
    if (isHttps(publicUrl)) answer.setHeader('strict-transport-security', HSTS)
  })
}

export const isHttps = (publicUrl: string | null): boolean => publicUrl?.startsWith('https:') ?? false
