/**
 * Posts to URLs that merchants supply. These are untrusted, so requests to private networks are blocked (SSRF). A name is
 * resolved once, its addresses are checked, the socket is opened to exactly these addresses, and the connected address is
 * checked again, so that a second DNS answer cannot change the target.
 */
import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Agent, buildConnector, request } from 'undici'
import { along } from '../tracing/along.ts'

/** The merchant's answer, or why there is none. `reply` is null where it is too long. */
export type Posted = { httpStatus: number; reply: string | null } | { httpStatus: null; why: string }

export type SafePost = {
  /** Follows no redirect and does not throw. `headers`: more than those of every post. */
  post: (url: string, body: string, signal: AbortSignal, headers?: Record<string, string>) => Promise<Posted>
  /** An address of this name to which a connection may be opened; null where there is none. `isLoopback`: it is this machine. */
  addressOf: (host: string) => Promise<{ address: string; isLoopback: boolean } | null>
  /** Why a URL is always refused; null when it may be allowed. Does not resolve the name. */
  refusal: (url: URL) => UrlRefusal | null
  close: () => Promise<void>
}

export type UrlRefusal = 'port' | 'address'

/** Finds all addresses of a name, like `dns.lookup` with `all`, which calls back with the error alone. */
export type Resolve = (
  name: string,
  done: (error: NodeJS.ErrnoException | null, addresses?: { address: string; family: number }[]) => void,
) => void

export type GuardOptions = {
  /** Ports that merchants' URLs may name. */
  ports: readonly number[]
  /** Networks that are allowed although they are not public, as CIDR blocks. */
  networks: readonly string[]
  /** For the sandbox, whose merchants listen on this machine, on any port and without TLS. */
  isLoopbackAllowed: boolean
  resolve?: Resolve
}

/** Public by their numbers, and services of the machine that we run on: Azure's, for one, hands out its secrets. */
const CLOUD_HOSTS = new Set(['168.63.129.16'])

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
    if (CLOUD_HOSTS.has(parsed.toString())) return false
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
    async addressOf(host) {
      const addresses = isIP(host) === 0 ? await addressesOf(host, resolve) : [host]
      const [address] = addresses
      if (address === undefined || !addresses.every(mayReach)) return null
      return { address, isLoopback: isLoopback(address) }
    },
    async post(url, body, signal, more = {}) {
      const refused = refusal(new URL(url))
      if (refused !== null)
        return { httpStatus: null, why: refused === 'port' ? 'the port may not be called' : ADDRESS_REFUSED }
      try {
        const answer = await request(url, {
          method: 'POST',
          headers: { ...headersNow(), ...more },
          body,
          signal,
          dispatcher: agent,
        })
        return { httpStatus: answer.statusCode, reply: await firstBytes(answer.body) }
      } catch (error) {
        return { httpStatus: null, why: whyOf(error, signal) }
      }
    },
  }
}

/** Where it is traced, the merchant may go on with the trace; its numbers say nothing of us. */
function headersNow(): Record<string, string> {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'acopay-gateway' }
  const span = along()?.span
  return span ? { ...headers, traceparent: span.traceparent } : headers
}

/** Checks a name's addresses when it is looked up. A literal address is never looked up, so it is checked before connecting. */
function guardedConnector(mayReach: (address: string) => boolean, resolve: Resolve): buildConnector.connector {
  const pinned: LookupFunction = (name, { all }, done) =>
    resolve(name, (error, addresses = []) => {
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

/** Only 2000::/3 of IPv6 is global unicast; all other or future ranges are refused (IANA, IPv6 address space). */
const isGlobal = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address instanceof ipaddr.IPv4 || address.match(ipaddr.IPv6.parse('2000::'), 3)

const hostOf = (hostname: string): string => hostname.replace(/^\[|\]$/g, '')

const resolveAll: Resolve = (name, done) => lookup(name, { all: true }, done)

/** None where the name does not resolve. */
const addressesOf = (name: string, resolve: Resolve): Promise<string[]> =>
  new Promise((done) => {
    resolve(name, (error, addresses = []) => done(error === null ? addresses.map(({ address }) => address) : []))
  })

/** The reply as text; null when it exceeds REPLY_BYTES_MAX, and then the rest is not read. */
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

/** A short reason for the merchant's list: the error code if there is one, and nothing about our own network. */
function whyOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'no answer in time'
  if (error instanceof Refused) return ADDRESS_REFUSED
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
