/** Follows the order: the server sends events; where events do not get through, the page polls. */
import type { Order } from './order.ts'

const POLL_MS = 5000
/** How long the page still listens after the order has ended: a second payment may arrive and be returned. */
const LINGER_MS = 10 * 60_000

export type Live = { onOrder: (order: Order) => void; onConnected: (isConnected: boolean) => void }

/** Stops `LINGER_MS` after `isFinal` says that the order has ended. */
export function live(link: string, { onOrder, onConnected }: Live, isFinal: (order: Order) => boolean): void {
  let polling: number | undefined
  let ending: number | undefined
  let source: EventSource | null = null
  let isOver = false

  const hear = (order: Order): void => {
    if (isOver) return
    onConnected(true)
    onOrder(order)
    if (isFinal(order)) ending ??= window.setTimeout(end, LINGER_MS)
    else {
      clearTimeout(ending)
      ending = undefined
    }
  }
  const end = (): void => {
    isOver = true
    source?.close()
    clearInterval(polling)
  }
  const ask = async (): Promise<void> => {
    try {
      const response = await fetch(`${link}/state`, { cache: 'no-store' })
      if (response.ok) hear(await response.json())
      else onConnected(false)
    } catch {
      onConnected(false)
    }
  }
  const poll = (): void => {
    polling ??= window.setInterval(ask, POLL_MS)
  }
  const listen = (): void => {
    source?.close()
    source = new EventSource(`${link}/events`)
    source.onmessage = ({ data }) => {
      clearInterval(polling)
      polling = undefined
      hear(JSON.parse(data))
    }
    // The browser reconnects by itself, except after a refusal. Until then the page polls.
    source.onerror = () => poll()
  }
  listen()
  // A phone that slept, or showed the wallet, may have missed events.
  document.addEventListener('visibilitychange', () => {
    if (isOver || document.hidden) return
    void ask()
    if (source?.readyState === EventSource.CLOSED) listen()
  })
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted && !isOver) void ask()
  })
}
