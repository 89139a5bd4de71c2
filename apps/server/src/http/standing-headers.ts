/** Headers that every answer of a gateway has, whatever the request was. */
import type { FastifyInstance } from 'fastify'

/** A year, as browsers ask of a site that is to be reached over HTTPS only. Other hosts of the domain are the operator's affair. */
const HSTS = 'max-age=31536000'

/** On the socket's own answer, so that streams, files, and refusals before any route have them too. */
export function standingHeaders(app: FastifyInstance, on: { isSandbox: boolean; publicUrl: string | null }): void {
  const headers: [string, string][] = []
  if (on.isSandbox) headers.push(['x-acopay-mode', 'sandbox'])
  // A browser believes it over HTTPS only, which a proxy in front of the gateway speaks.
  if (isHttps(on.publicUrl)) headers.push(['strict-transport-security', HSTS])
  app.server.prependListener('request', (_request, answer) => {
    for (const [name, value] of headers) answer.setHeader(name, value)
  })
}

export const isHttps = (publicUrl: string | null): boolean => publicUrl?.startsWith('https:') ?? false
