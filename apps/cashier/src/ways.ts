/** The ways to pay that this merchant offers on this device, and what the payer needs for the one that is chosen. */
import { insteadOf, isFramed, isInWechat, methodFor } from './device.ts'
import type { Channel } from './order.ts'
import { qrCode } from './qr.ts'
import { texts } from './texts.ts'
import { type CameBack, showSheet, signIn } from './wallet.ts'

type Around = { isOpen: () => boolean; channels: Channel[]; link: string; askAgain: () => Promise<void> }

/** `instead`: the method that is tried where this one is refused; `isInstead`: this is that one. */
type Way = { channel: string; method: string; instead: string | null; isInstead: boolean }

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

function wayOf({ channel, methods }: Channel): Way | null {
  const method = methodFor(channel, methods)
  return method === null ? null : { channel, method, instead: insteadOf(method, methods), isInstead: false }
}

const refusedWay = (way: Way): Chosen => ({ ...way, is: 'trouble', why: 'refused' })

/** Buttons and the line that is read aloud stay in the page, so that neither focus nor a word is lost on the way. */
export function showWays(root: HTMLElement, around: Around): void {
  const says = texts()
  const [choose, buttons, said, detail] = ['.choose', '.channels', '.said', '.detail'].map((part) =>
    root.querySelector<HTMLElement>(part),
  ) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement]
  const offered = around.isOpen() ? around.channels.flatMap((channel) => wayOf(channel) ?? []) : []
  // The sheet comes up only above a page of its own.
  const isElsewhere = isInWechat && isFramed && offered.length > 0
  const shown = isElsewhere ? [] : offered
  write(choose, shown.length === 0 ? '' : says.choose)
  showButtons(buttons, shown, (way) => void chooseWay(root, around, way))
  const isFocused = detail.contains(document.activeElement)
  write(said, around.isOpen() && !isElsewhere ? wordsOf(offered) : '')
  said.classList.toggle('busy', chosen?.is === 'opening')
  if (isElsewhere) detail.replaceChildren(jumpTo(around.link, says.openHere))
  else detail.replaceChildren(...(shown.length === 0 ? [] : detailOf(root, around)))
  // What had the focus is gone, as "try again" is once it was pressed.
  if (isFocused) buttons.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus()
}

function showButtons(root: HTMLElement, ways: Way[], press: (way: Way) => void): void {
  root.setAttribute('role', 'group')
  root.setAttribute('aria-label', texts().choose)
  root.hidden = ways.length === 0
  const names = ways.map(({ channel }) => channel).join(' ')
  if (root.dataset.names !== names) {
    root.dataset.names = names
    root.replaceChildren(
      ...ways.map((way) => {
        const button = plainButton('', () => press(way))
        button.className = `channel ${way.channel}`
        return button
      }),
    )
  }
  ways.forEach(({ channel }, index) => {
    const button = root.children[index] as HTMLElement
    write(button, nameOf(channel))
    button.setAttribute('aria-pressed', String(chosen?.channel === channel))
  })
}

/** What a payer who does not see the page has to hear, and everybody may read. */
function wordsOf(offered: Way[]): string {
  const says = texts()
  if (offered.length === 0) return isInWechat ? says.inWechat : says.noChannel
  if (chosen === null) return ''
  switch (chosen.is) {
    case 'opening':
      return says.opening
    case 'trouble':
      return says[chosen.why]
    case 'ready': {
      if (chosen.method === 'jsapi') return ''
      if (chosen.method !== 'native') return says.redirected
      return (chosen.isInstead ? says.scanInstead : says.scanWith)(nameOf(chosen.channel))
    }
  }
}

/** Only a change is written: a screen reader would say it again otherwise. */
function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** The payer is back from the wallet, which was asked who they are: goes on where they had left. */
export function goOn(root: HTMLElement, around: Around, back: CameBack): void {
  const channel = around.channels.find(({ channel }) => channel === back.channel)
  const way = channel === undefined ? null : wayOf(channel)
  if (!around.isOpen() || way === null) return
  known = back
  if (back.payer !== null) void chooseWay(root, around, way)
  else {
    chosen = refusedWay(way)
    showWays(root, around)
  }
}

/** What is shown works only for a while. True when that is over since it was last asked. */
export function isStale(nowMs: number): boolean {
  if (chosen?.is !== 'ready' || nowMs < chosen.goodUntilMs) return false
  chosen = { ...wayIn(chosen), is: 'trouble', why: 'stale' }
  return true
}

const wayIn = ({ channel, method, instead, isInstead }: Way): Way => ({ channel, method, instead, isInstead })

function detailOf(root: HTMLElement, around: Around): HTMLElement[] {
  const says = texts()
  if (chosen === null || chosen.is === 'opening') return []
  const way = chosen
  const app = nameOf(way.channel)
  if (way.is === 'trouble') return [plainButton(says.retry, () => void chooseWay(root, around, wayIn(way)))]
  const sandbox = sandboxButton(way.sandbox)
  if (way.method === 'native') {
    const holder = document.createElement('figure')
    holder.className = 'code'
    holder.tabIndex = -1
    holder.append(qrCode(way.payUrl, says.qrOf(app)))
    return [holder, ...sandbox]
  }
  if (way.method === 'jsapi') {
    const open = plainButton(says.openApp(app), () => void pay(root, around, way))
    open.className = 'jump'
    return [open, ...sandbox]
  }
  return [jumpTo(way.payUrl, says.openApp(app)), ...sandbox]
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

async function chooseWay(root: HTMLElement, around: Around, way: Way): Promise<void> {
  if (chosen?.channel === way.channel && chosen.is !== 'trouble' && !isAway(chosen)) {
    return showAgain(root, around, chosen)
  }
  const mine: Chosen = { ...way, is: 'opening' }
  chosen = mine
  showWays(root, around)
  const isMine = (): boolean => chosen === mine
  const result = await ask(around, way, isMine)
  if (!isMine()) return
  chosen = result
  showWays(root, around)
  if (result.is === 'ready' && result.method === 'jsapi') await pay(root, around, result)
}

/** Gone to the wallet to be known; whoever can press here has come back without an answer. */
const isAway = ({ is, method }: Chosen): boolean => is === 'opening' && method === 'jsapi' && known === null

/** For whoever lost sight of what is there already. */
async function showAgain(root: HTMLElement, around: Around, way: Chosen): Promise<void> {
  if (way.is === 'ready' && way.method === 'jsapi') return pay(root, around, way)
  const shown = root.querySelector<HTMLElement>('.detail > *')
  shown?.scrollIntoView({ block: 'nearest' })
  shown?.focus()
}

/** The wallet's own sheet. However it ends, the server tells what came of it. */
async function pay(root: HTMLElement, around: Around, way: Chosen & { is: 'ready' }): Promise<void> {
  const end = await showSheet(way.payUrl)
  await around.askAgain().catch(() => {})
  if (end !== 'failed' || chosen !== way) return
  chosen = refusedWay(wayIn(way))
  showWays(root, around)
}

async function ask(around: Around, way: Way, isMine: () => boolean): Promise<Chosen> {
  const isRefused = (one: Chosen): boolean => one.is === 'trouble' && one.why === 'refused'
  const first = await open(around, way, isMine)
  if (!isRefused(first) || way.instead === null || !around.isOpen() || !isMine()) return first
  const second = await open(around, { ...way, method: way.instead, instead: null, isInstead: true }, isMine)
  // Whoever tries again begins with the better way.
  return isRefused(second) ? first : second
}

/** Asks for the code; while it is in doubt, again and again: opening it twice is the server's to prevent. */
async function open(around: Around, way: Way, isMine: () => boolean): Promise<Chosen> {
  const { channel, method } = way
  const trouble = (why: Trouble): Chosen => ({ ...way, is: 'trouble', why })
  const payer = known?.channel === channel ? known.payer : null
  // The page is left, and comes back with the payer.
  if (method === 'jsapi' && payer === null) {
    return signIn(around.link, channel) ? { ...way, is: 'opening' } : trouble('refused')
  }
  for (let tries = 0; tries < DOUBT_TRIES && isMine(); tries += 1) {
    const answer = await post(`${around.link}/attempts`, { channel, method, payer })
    if (answer === null) return trouble('unreachable')
    const { status, body } = answer
    if (status === 200 && typeof body.pay_url === 'string') {
      const sandbox = typeof body.sandbox === 'string' ? body.sandbox : null
      const goodUntilMs = Date.parse(String(body.good_until))
      return { ...way, is: 'ready', payUrl: body.pay_url, goodUntilMs, sandbox }
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
