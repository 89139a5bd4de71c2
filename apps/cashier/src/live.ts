/** The order as it stands, told by the server; where events do not come through, it is asked for. */
import type { Order } from './order.ts'

const POLL_MS = 5000

export type Live = { onOrder: (order: Order) => void; onConnected: (isConnected: boolean) => void }

/** Ends by itself when `isFinal` says that nothing more can change. */
export function live(link: string, { onOrder, onConnected }: Live, isFinal: (order: Order) => boolean): void {
  let polling: number | undefined
  let source: EventSource | null = null
  let isOver = false

  const hear = (order: Order): void => {
    if (isOver) return
    onConnected(true)
    onOrder(order)
    if (!isFinal(order)) return
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
    // The browser tries again by itself, except after a refusal; meanwhile the page asks.
    source.onerror = () => poll()
  }
  listen()
  // A phone that slept, or came back from the wallet, has missed what happened.
  document.addEventListener('visibilitychange', () => {
    if (isOver || document.hidden) return
    void ask()
    if (source?.readyState === EventSource.CLOSED) listen()
  })
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted && !isOver) void ask()
  })
}
