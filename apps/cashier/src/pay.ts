/**
 * The first page in the host script's frame. It receives the parameters that the merchant signed, places the order with them
 * from the gateway's own origin, and goes on to the order's cashier.
 */
import { isChinese, texts } from './texts.ts'

const TRADE = '/pay/v1/transactions/trade'
const [title, message] = ['title', 'message'].map((id) => document.getElementById(id) as HTMLElement) as [
  HTMLElement,
  HTMLElement,
]

document.documentElement.lang = isChinese() ? 'zh-CN' : 'en'
title.textContent = texts().placing

const tell = (what: object): void => window.parent.postMessage(what, '*')

function fail(code: string, why: string): void {
  title.textContent = texts().placeFailed
  message.textContent = why
  tell({ acopay: 'failed', code, message: why })
}

async function place(params: unknown): Promise<void> {
  try {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(TRADE, { method: 'POST', headers, body: JSON.stringify(params) })
    const { status, message: name, fieldErrors, data } = await response.json()
    if (status !== 200) return fail(String(name), `${fieldErrors ?? name} (${status})`)
    if (data.code !== 'SUCCESS') return fail(String(data.code), String(data.description))
    // Stay on this page's origin, even where the gateway's public address is another one.
    location.replace(new URL(data.cashier_url).pathname)
  } catch {
    fail('UNREACHABLE', texts().unreachable)
  }
}

let isPlacing = false
window.addEventListener('message', ({ source, data }) => {
  if (source !== window.parent || data?.acopay !== 'pay' || isPlacing) return
  isPlacing = true
  void place(data.params)
})
tell({ acopay: 'ready' })
