/** What one process knows of merchants' notification hosts: how many calls are under way, and which hosts rest. */

const PER_HOST = 32
/** So many failures in a row, and a host is called by one at a time, with a rest between. */
const FAILURES_TO_REST = 20
const REST_MS = 5_000
/** A host that was not called for so long starts afresh. */
const FORGET_MS = 3_600_000

type Host = { underWay: number; failuresInRow: number; restUntilMs: number }

export type HostHealth = {
  /** How many more calls each known host may have now; every other host may have `perHost`. */
  free: (nowMs: number) => { perHost: number; free: Map<string, number> }
  began: (name: string) => void
  ended: (name: string) => void
  /** Said after `ended`: whether the merchant took the notification. */
  judged: (name: string, isHeard: boolean, nowMs: number) => void
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
    judged(name, isHeard, nowMs) {
      const host = hostOf(name)
      host.failuresInRow = isHeard ? 0 : host.failuresInRow + 1
      if (!isHeard) host.restUntilMs = nowMs + REST_MS
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
