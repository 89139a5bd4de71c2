/** What the console's routes share: its pages, its cookies, and how often one address may try to get in. */
import type { ProviderDeparture, Session } from '@acopay/protocol/console'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { World } from '../../world.ts'
import type { RateLimit } from '../rate-limit.ts'
import { isHttps } from '../standing-headers.ts'
import type { StaticPages } from '../static-pages.ts'
import type { Began, Departs } from './call.ts'
import type { Token } from './respond.ts'
import { sessionView } from './session.ts'

export type Parts = {
  world: World
  pages: StaticPages
  /** Of everything by which a stranger gets in. */
  signIns: RateLimit
  /** The session's cookie: its name and its attributes. */
  cookie: Cookie
  /** Of a browser that is at the identity provider, which sends it back from another site: so it is lax and not strict. */
  trip: Cookie
  /** Marks a browser in which a user has signed in. It is kept after the session ends. */
  device: Cookie
}

export type Cookie = {
  name: string
  with: { path: string; httpOnly: true; sameSite: 'strict' | 'lax'; secure: boolean; maxAge?: number }
}

/**
 * Browsers accept a `__Host-` cookie only over HTTPS and only from this host. Another host of the domain, or an attacker in the
 * network, cannot set it. Such a cookie must be for all paths.
 */
export function cookieFor(
  name: string,
  publicUrl: string | null,
  { maxAge, sameSite = 'strict' }: { maxAge?: number; sameSite?: 'strict' | 'lax' } = {},
): Cookie {
  const secure = isHttps(publicUrl)
  const kept = maxAge === undefined ? {} : { maxAge }
  return {
    name: secure ? `__Host-${name}` : name,
    with: { path: secure ? '/' : '/console', httpOnly: true, sameSite, secure, ...kept },
  }
}

export const tokenOf = ({ cookie }: Parts, request: FastifyRequest): Token => request.cookies[cookie.name]

/** Sends the trip's cookie to the browser, and answers where it goes. */
export function letDepart({ trip }: Parts, reply: FastifyReply, { tripToken, url }: Departs): ProviderDeparture {
  reply.setCookie(trip.name, tripToken, trip.with)
  return { url }
}

/** Sends a new session's cookie to the browser, and answers with its user. */
export function giveSession(
  { world, cookie }: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  { token, user }: Began,
): Session {
  reply.setCookie(cookie.name, token, cookie.with)
  return sessionView(world, { token, user, site: world.consoleRules.passkeySiteOf(request.host) })
}

/** The browser is known from now on: it waits behind no stranger. */
export function rememberDevice(
  { world, device }: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  username: string,
) {
  if (world.devices.deviceOf(username, request.cookies[device.name]) === null) {
    reply.setCookie(device.name, world.devices.tokenFor(username), device.with)
  }
}
