/**
 * A circuit breaker for the hosts that notifications go to: running calls and failures of each host, as this process counts
 * them.
 */

const PER_HOST = 32
/** After this many failures in a row a host gets one call at a time, with a rest after each failure. */
const FAILURES_TO_REST = 20
const REST_MS = 5_000
/** The record of a host that was not called for this long is dropped. */
const FORGET_MS = 3_600_000

type Host = { underWay: number; failuresInRow: number; restUntilMs: number }

export type HostHealth = {
  /** How many more calls may start now: `free` for the known hosts, `perHost` for every other host. */
  free: (nowMs: number) => { perHost: number; free: Map<string, number> }
  began: (name: string) => void
  ended: (name: string) => void
  /** Call it after `ended`. `isAcknowledged`: the merchant acknowledged the notification. */
  judged: (name: string, isAcknowledged: boolean, nowMs: number) => void
  forgetOld: (nowMs: number) => void
}

export function hostHealth(): HostHealth {
  const hosts = new Map<string, Host>()
  const hostOf = (name: string): Host => {
    const host = hosts.get(name) ?? { underWay: 0, failuresInRow: 0, restUntilMs: 0 }
    hosts.set(name, host)
    return host
  }
  return {
    free: (nowMs) => ({
      perHost: PER_HOST,
      free: new Map([...hosts].map(([name, host]) => [name, freeOf(host, nowMs)])),
    }),
    began: (name) => {
      hostOf(name).underWay += 1
    },
    ended: (name) => {
      hostOf(name).underWay -= 1
    },
    judged(name, isAcknowledged, nowMs) {
      const host = hostOf(name)
      host.failuresInRow = isAcknowledged ? 0 : host.failuresInRow + 1
      if (!isAcknowledged) host.restUntilMs = nowMs + REST_MS
      else if (host.underWay === 0) hosts.delete(name)
    },
    forgetOld(nowMs) {
      for (const [name, { underWay, restUntilMs }] of hosts) {
        if (underWay === 0 && nowMs - restUntilMs > FORGET_MS) hosts.delete(name)
      }
    },
  }
}

function freeOf({ underWay, failuresInRow, restUntilMs }: Host, nowMs: number): number {
  if (failuresInRow < FAILURES_TO_REST) return Math.max(0, PER_HOST - underWay)
  return underWay === 0 && nowMs >= restUntilMs ? 1 : 0
}
