/** The ways to pay that this merchant offers on this device, and what the payer needs for the one that is chosen. */
import { isInAlipay, isInWechat, methodFor } from './device.ts'
import type { Channel } from './order.ts'
import { qrCode } from './qr.ts'
import { texts } from './texts.ts'

type Around = { isOpen: boolean; channels: Channel[]; link: string; askAgain: () => Promise<void> }

type Chosen =
  | { channel: string; is: 'opening' }
  /** `sandbox`: where the page itself can be the payer; null in earnest. */
  | { channel: string; is: 'ready'; method: string; payUrl: string; sandbox: string | null }
  | { channel: string; is: 'trouble'; why: 'doubt' | 'refused' | 'tooMany' | 'unreachable' }

/** How long a code that did not come is asked for again, and how often. */
const DOUBT_PAUSE_MS = 3000
const DOUBT_TRIES = 20

let chosen: Chosen | null = null

const nameOf = (channel: string): string => {
  const says = texts()
  return channel === 'wechat' ? says.wechat : channel === 'alipay' ? says.alipay : says.other(channel)
}

export function showWays(root: HTMLElement, around: Around): void {
  const says = texts()
  const offered = around.channels.filter(({ channel }) => !isInAlipay || channel === 'alipay')
  const why = isInWechat ? says.inWechat : offered.length === 0 ? says.noChannel : null
  if (!around.isOpen || why !== null) {
    root.replaceChildren(...(around.isOpen && why !== null ? [paragraph('note', why)] : []))
    return
  }

  const buttons = document.createElement('div')
  buttons.className = 'channels'
  buttons.setAttribute('role', 'group')
  buttons.setAttribute('aria-label', says.choose)
  for (const { channel, methods } of offered) {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = `channel ${channel}`
    button.textContent = nameOf(channel)
    button.setAttribute('aria-pressed', String(chosen?.channel === channel))
    button.addEventListener('click', () => void choose(root, around, channel, methods))
    buttons.append(button)
  }
  root.replaceChildren(paragraph('choose', says.choose), buttons, ...detailOf(root, around))
}

function detailOf(root: HTMLElement, around: Around): HTMLElement[] {
  const says = texts()
  if (chosen === null) return []
  const app = nameOf(chosen.channel)
  switch (chosen.is) {
    case 'opening':
      return [paragraph('note busy', says.opening)]
    case 'trouble': {
      const { why, channel } = chosen
      const again = document.createElement('button')
      again.type = 'button'
      again.className = 'plain'
      again.textContent = says.retry
      const methods = around.channels.find((one) => one.channel === channel)?.methods ?? []
      again.addEventListener('click', () => void choose(root, around, channel, methods))
      return [paragraph('note', says[why]), again]
    }
    case 'ready': {
      if (chosen.method === 'native') {
        const holder = document.createElement('figure')
        holder.className = 'code'
        const caption = document.createElement('figcaption')
        caption.textContent = says.scanWith(app)
        holder.append(qrCode(chosen.payUrl, says.qrOf(app)), caption)
        return [holder, ...sandboxButton(chosen.sandbox)]
      }
      const jump = document.createElement('a')
      jump.className = 'jump'
      jump.href = chosen.payUrl
      jump.textContent = says.openApp(app)
      if (window.parent !== window) jump.target = '_blank'
      jump.rel = 'noreferrer'
      return [jump, paragraph('note', says.redirected), ...sandboxButton(chosen.sandbox)]
    }
  }
}

function sandboxButton(address: string | null): HTMLElement[] {
  if (address === null) return []
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'plain'
  button.textContent = texts().sandboxPay
  button.addEventListener('click', () => void fetch(`${address}/pay`, { method: 'POST' }))
  return [button]
}

async function choose(root: HTMLElement, around: Around, channel: string, methods: string[]): Promise<void> {
  const method = methodFor(methods)
  if (method === null) return
  if (chosen?.channel === channel && chosen.is !== 'trouble') return
  const mine: Chosen = { channel, is: 'opening' }
  chosen = mine
  showWays(root, around)
  const isMine = (): boolean => chosen === mine
  const result = await ask(around, channel, method, isMine)
  if (!isMine()) return
  chosen = result
  showWays(root, around)
  root.querySelector<HTMLElement>(`.channel.${channel}`)?.focus()
}

/** Asks for the code; while it is in doubt, again and again: opening it twice is the server's to prevent. */
async function ask(around: Around, channel: string, method: string, isMine: () => boolean): Promise<Chosen> {
  for (let tries = 0; tries < DOUBT_TRIES && isMine(); tries += 1) {
    const answer = await post(`${around.link}/attempts`, { channel, method })
    if (answer === null) return { channel, is: 'trouble', why: 'unreachable' }
    const { status, body } = answer
    if (status === 200 && typeof body.pay_url === 'string') {
      const sandbox = typeof body.sandbox === 'string' ? body.sandbox : null
      return { channel, is: 'ready', method, payUrl: body.pay_url, sandbox }
    }
    if (status === 409) {
      await around.askAgain().catch(() => {})
      return { channel, is: 'trouble', why: 'refused' }
    }
    if (status === 429 && body.error === 'TOO_MANY_ATTEMPTS') return { channel, is: 'trouble', why: 'tooMany' }
    if (status !== 200 && status !== 429) return { channel, is: 'trouble', why: 'refused' }
    await new Promise((resolve) => setTimeout(resolve, DOUBT_PAUSE_MS))
  }
  return { channel, is: 'trouble', why: 'doubt' }
}

async function post(url: string, body: object): Promise<{ status: number; body: Record<string, unknown> } | null> {
  try {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, body: await response.json().catch(() => ({})) }
  } catch {
    return null
  }
}

function paragraph(className: string, text: string): HTMLElement {
  const one = document.createElement('p')
  one.className = className
  one.textContent = text
  return one
}
