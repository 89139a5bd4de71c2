/**
 * Posts to addresses that merchants chose. Such an address is somebody else's text: nothing it says may make this
 * gateway reach into its own network. Where a socket may go is decided on what the name resolves to, once; the socket
 * is then opened to exactly that, and what it is connected to is looked at again.
 */
import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Agent, buildConnector, request } from 'undici'

/** What came back, or why nothing did. `reply` is null where it could not be read whole. */
export type Posted = { httpStatus: number; reply: string | null } | { httpStatus: null; why: string }

export type SafePost = {
  /** Never follows a redirect, never throws. */
  post: (url: string, body: string, signal: AbortSignal) => Promise<Posted>
  /** Why nothing is ever sent to this address, null when it may be. Resolves no name. */
  refusal: (url: URL) => UrlRefusal | null
  close: () => Promise<void>
}

export type UrlRefusal = 'port' | 'address'

/** All addresses of a name; the callback of `dns.lookup` with `all`. */
export type Resolve = (
  name: string,
  done: (error: NodeJS.ErrnoException | null, addresses: { address: string; family: number }[]) => void,
) => void

export type GuardOptions = {
  /** Ports that may be called. */
  ports: readonly number[]
  /** Networks that may be called although they are not public, as CIDR blocks. */
  networks: readonly string[]
  /** The sandbox's merchants listen on this machine, at any port and without TLS. */
  isLoopbackAllowed: boolean
  resolve?: Resolve
}

const ADDRESS_REFUSED = 'the address may not be called'
const REPLY_BYTES_MAX = 16 * 1024
const CONNECTIONS_PER_HOST = 32

class Refused extends Error {}

export function safePost({ ports, networks, isLoopbackAllowed, resolve = resolveAll }: GuardOptions): SafePost {
  const allowedNetworks = networks.map((network) => ipaddr.parseCIDR(network))
  const mayReach = (address: string): boolean => {
    if (!ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    const range = parsed.range()
    if ((range === 'unicast' && isGlobal(parsed)) || (isLoopbackAllowed && range === 'loopback')) return true
    return allowedNetworks.some(([network, bits]) => parsed.kind() === network.kind() && parsed.match(network, bits))
  }
  const isLoopback = (host: string): boolean =>
    host === 'localhost' || (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback')
  const refusal = (url: URL): UrlRefusal | null => {
    const host = hostOf(url.hostname)
    if (isIP(host) !== 0 && !mayReach(host)) return 'address'
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
    return ports.includes(port) || (isLoopbackAllowed && isLoopback(host)) ? null : 'port'
  }
  const agent = new Agent({
    connect: guardedConnector(mayReach, resolve),
    connections: CONNECTIONS_PER_HOST,
    pipelining: 1,
  })
  return {
    refusal,
    close: () => agent.destroy(),
    async post(url, body, signal) {
      const refused = refusal(new URL(url))
      if (refused !== null)
        return { httpStatus: null, why: refused === 'port' ? 'the port may not be called' : ADDRESS_REFUSED }
      try {
        const headers = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'acopay-gateway' }
        const answer = await request(url, { method: 'POST', headers, body, signal, dispatcher: agent })
        return { httpStatus: answer.statusCode, reply: await firstBytes(answer.body) }
      } catch (error) {
        return { httpStatus: null, why: whyOf(error, signal) }
      }
    },
  }
}

/** A literal address is never looked up, so it is judged before; a name's addresses are judged when it is looked up. */
function guardedConnector(mayReach: (address: string) => boolean, resolve: Resolve): buildConnector.connector {
  const pinned: LookupFunction = (name, { all }, done) =>
    resolve(name, (error, addresses) => {
      const first = addresses[0]
      if (error !== null || first === undefined) return done(error ?? new Error(`no address for ${name}`), '', 0)
      if (!addresses.every(({ address }) => mayReach(address))) return done(new Refused(), '', 0)
      if (all) done(null, addresses)
      else done(null, first.address, first.family)
    })
  const connect = buildConnector({ lookup: pinned })
  return (options, done) => {
    const host = hostOf(options.hostname)
    if (isIP(host) !== 0 && !mayReach(host)) return done(new Refused(), null)
    connect(options, (error, socket) => {
      if (error !== null) return done(error, null)
      const { remoteAddress } = socket
      if (remoteAddress !== undefined && mayReach(remoteAddress)) return done(null, socket)
      socket.destroy()
      done(new Refused(), null)
    })
  }
}

/** Of IPv6 only 2000::/3 is given out; whatever is new or odd lies outside of it (IANA, IPv6 address space). */
const isGlobal = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address instanceof ipaddr.IPv4 || address.match(ipaddr.IPv6.parse('2000::'), 3)

const hostOf = (hostname: string): string => hostname.replace(/^\[|\]$/g, '')

const resolveAll: Resolve = (name, done) => lookup(name, { all: true }, done)

/** The reply as text; null when it is longer than anybody's answer, and then the rest is not read. */
async function firstBytes(body: AsyncIterable<Buffer> & { destroy: () => void }): Promise<string | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > REPLY_BYTES_MAX) {
      body.destroy()
      return null
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Short, for the merchant's list: a code where there is one, and nothing of what our own network looks like. */
function whyOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'no answer in time'
  if (error instanceof Refused) return ADDRESS_REFUSED
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
