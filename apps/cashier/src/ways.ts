/** The ways to pay that this merchant offers on this device, and what the payer needs for the one that is chosen. */
import { isFramed, isInWechat, methodFor } from './device.ts'
import type { Channel } from './order.ts'
import { qrCode } from './qr.ts'
import { texts } from './texts.ts'
import { type CameBack, showSheet, signIn } from './wallet.ts'

type Around = { isOpen: boolean; channels: Channel[]; link: string; askAgain: () => Promise<void> }

type Way = { channel: string; method: string }

type Trouble = 'doubt' | 'refused' | 'tooMany' | 'unreachable' | 'stale'

type Chosen = Way &
  (
    | { is: 'opening' }
    /** `sandbox`: where the page itself can be the payer; null in earnest. */
    | { is: 'ready'; payUrl: string; goodUntilMs: number; sandbox: string | null }
    | { is: 'trouble'; why: Trouble }
  )

/** How long a code that did not come is asked for again, and how often. */
const DOUBT_PAUSE_MS = 3000
const DOUBT_TRIES = 20

let chosen: Chosen | null = null
/** What the wallet said of who pays; each order's page asks anew. */
let known: CameBack | null = null

const nameOf = (channel: string): string => {
  const says = texts()
  return channel === 'wechat' ? says.wechat : channel === 'alipay' ? says.alipay : says.other(channel)
}

export function showWays(root: HTMLElement, around: Around): void {
  const says = texts()
  const offered = around.channels.flatMap(({ channel, methods }) => {
    const method = methodFor(channel, methods)
    return method === null ? [] : [{ channel, method }]
  })
  if (!around.isOpen) {
    root.replaceChildren()
    return
  }
  if (offered.length === 0) {
    root.replaceChildren(paragraph('note', isInWechat ? says.inWechat : says.noChannel))
    return
  }
  // The sheet comes up only above a page of its own.
  if (isInWechat && isFramed) {
    root.replaceChildren(jumpTo(around.link, says.openHere))
    return
  }

  const buttons = document.createElement('div')
  buttons.className = 'channels'
  buttons.setAttribute('role', 'group')
  buttons.setAttribute('aria-label', says.choose)
  for (const way of offered) {
    const button = plainButton(nameOf(way.channel), () => void choose(root, around, way))
    button.className = `channel ${way.channel}`
    button.setAttribute('aria-pressed', String(chosen?.channel === way.channel))
    buttons.append(button)
  }
  root.replaceChildren(paragraph('choose', says.choose), buttons, ...detailOf(root, around))
}

/** The payer is back from the wallet, which was asked who they are: goes on where they had left. */
export function goOn(root: HTMLElement, around: Around, back: CameBack): void {
  const methods = around.channels.find(({ channel }) => channel === back.channel)?.methods ?? []
  const method = methodFor(back.channel, methods)
  if (!around.isOpen || method === null) return
  known = back
  const way = { channel: back.channel, method }
  if (back.payer !== null) void choose(root, around, way)
  else {
    chosen = { ...way, is: 'trouble', why: 'refused' }
    showWays(root, around)
  }
}

/** What is shown works only for a while. True when that is over since it was last asked. */
export function isStale(nowMs: number): boolean {
  if (chosen?.is !== 'ready' || nowMs < chosen.goodUntilMs) return false
  chosen = { channel: chosen.channel, method: chosen.method, is: 'trouble', why: 'stale' }
  return true
}

function detailOf(root: HTMLElement, around: Around): HTMLElement[] {
  const says = texts()
  if (chosen === null) return []
  const way = chosen
  const app = nameOf(way.channel)
  switch (way.is) {
    case 'opening':
      return [paragraph('note busy', says.opening)]
    case 'trouble':
      return [paragraph('note', says[way.why]), plainButton(says.retry, () => void choose(root, around, way))]
    case 'ready': {
      const sandbox = sandboxButton(way.sandbox)
      if (way.method === 'native') {
        const holder = document.createElement('figure')
        holder.className = 'code'
        const caption = document.createElement('figcaption')
        caption.textContent = says.scanWith(app)
        holder.append(qrCode(way.payUrl, says.qrOf(app)), caption)
        return [holder, ...sandbox]
      }
      if (way.method === 'jsapi') {
        const open = plainButton(says.openApp(app), () => void pay(root, around, way))
        open.className = 'jump'
        return [open, ...sandbox]
      }
      return [jumpTo(way.payUrl, says.openApp(app)), paragraph('note', says.redirected), ...sandbox]
    }
  }
}

/** A way out of the page; out of a frame into a page of its own. It says where it comes from: see the server's policy. */
function jumpTo(address: string, text: string): HTMLElement {
  const jump = document.createElement('a')
  jump.className = 'jump'
  jump.href = address
  jump.textContent = text
  if (isFramed) jump.target = '_blank'
  jump.rel = 'noopener'
  return jump
}

function sandboxButton(address: string | null): HTMLElement[] {
  if (address === null) return []
  return [plainButton(texts().sandboxPay, () => void fetch(`${address}/pay`, { method: 'POST' }))]
}

async function choose(root: HTMLElement, around: Around, { channel, method }: Way): Promise<void> {
  if (chosen?.channel === channel && chosen.is !== 'trouble') return
  const mine: Chosen = { channel, method, is: 'opening' }
  chosen = mine
  showWays(root, around)
  const isMine = (): boolean => chosen === mine
  const result = await ask(around, mine, isMine)
  if (!isMine()) return
  chosen = result
  showWays(root, around)
  root.querySelector<HTMLElement>(`.channel.${channel}`)?.focus()
  if (result.is === 'ready' && result.method === 'jsapi') await pay(root, around, result)
}

/** The wallet's own sheet. However it ends, the server tells what came of it. */
async function pay(root: HTMLElement, around: Around, way: Chosen & { is: 'ready' }): Promise<void> {
  const end = await showSheet(way.payUrl)
  await around.askAgain().catch(() => {})
  if (end !== 'failed' || chosen !== way) return
  chosen = { channel: way.channel, method: way.method, is: 'trouble', why: 'refused' }
  showWays(root, around)
}

/** Asks for the code; while it is in doubt, again and again: opening it twice is the server's to prevent. */
async function ask(around: Around, way: Way, isMine: () => boolean): Promise<Chosen> {
  const { channel, method } = way
  const trouble = (why: Trouble): Chosen => ({ channel, method, is: 'trouble', why })
  const payer = known?.channel === channel ? known.payer : null
  // The page is left, and comes back with the payer.
  if (method === 'jsapi' && payer === null) {
    return signIn(around.link, channel) ? { channel, method, is: 'opening' } : trouble('refused')
  }
  for (let tries = 0; tries < DOUBT_TRIES && isMine(); tries += 1) {
    const answer = await post(`${around.link}/attempts`, { channel, method, payer })
    if (answer === null) return trouble('unreachable')
    const { status, body } = answer
    if (status === 200 && typeof body.pay_url === 'string') {
      const sandbox = typeof body.sandbox === 'string' ? body.sandbox : null
      const goodUntilMs = Date.parse(String(body.good_until))
      return { channel, method, is: 'ready', payUrl: body.pay_url, goodUntilMs, sandbox }
    }
    // Not known after all: whoever presses again is asked for again.
    if (status === 401) known = null
    if (status === 409) {
      await around.askAgain().catch(() => {})
      return trouble('refused')
    }
    if (status === 429 && body.error === 'TOO_MANY_ATTEMPTS') return trouble('tooMany')
    if (status !== 200 && status !== 429) return trouble('refused')
    await new Promise((resolve) => setTimeout(resolve, DOUBT_PAUSE_MS))
  }
  return trouble('doubt')
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

function plainButton(text: string, press: () => void): HTMLButtonElement {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'plain'
  button.textContent = text
  button.addEventListener('click', press)
  return button
}

function paragraph(className: string, text: string): HTMLElement {
  const one = document.createElement('p')
  one.className = className
  one.textContent = text
  return one
}
