/** The ways to pay that this merchant offers on this device, and the code or link of the one that the payer chose. */
import { type Answer, type Ready, readAttempt, type Trouble } from './attempt-answer.ts'
import { device, isFramed } from './device.ts'
import { insteadOf, methodFor, opensItself } from './methods.ts'
import type { Channel } from './order.ts'
import { qrCode } from './qr.ts'
import { channelName, texts } from './texts.ts'
import { showSheet, signIn } from './wallet.ts'
import type { CameBack } from './wallet-answers.ts'
import { walletMark } from './wallet-mark.ts'

type Around = { isOpen: () => boolean; channels: Channel[]; link: string; askAgain: () => Promise<void> }

/** `instead` is the method to try when the upstream refuses this one. `isInstead` marks that second method. */
type Way = { channel: string; method: string; instead: string | null; isInstead: boolean }

type Chosen = Way & ({ is: 'opening' } | Ready | { is: 'trouble'; why: Trouble })

/** How often the page asks again for a code that is in doubt, and the pause in between. */
const DOUBT_PAUSE_MS = 3000
const DOUBT_TRIES = 20

let chosen: Chosen | null = null
/** The payer as the wallet identified them. Each order's page signs the payer in again. */
let known: CameBack | null = null

function wayOf({ channel, methods: offered }: Channel): Way | null {
  // Alipay's sheet is for the page of its browser, not for a frame; its own page opens from both.
  const methods = isFramed && device.isInAlipay ? offered.filter((method) => method !== 'jsapi') : offered
  const method = methodFor(device, channel, methods)
  return method === null ? null : { channel, method, instead: insteadOf(device, method, methods), isInstead: false }
}

const troubleWith = (way: Way, why: Trouble): Chosen => ({ ...way, is: 'trouble', why })

/** Redraws the contents. The buttons and the live region stay in the page, so that focus and announcements are kept. */
export function showWays(root: HTMLElement, around: Around): void {
  const says = texts()
  const [choose, buttons, said, detail] = ['.choose', '.channels', '.said', '.detail'].map((part) =>
    root.querySelector<HTMLElement>(part),
  ) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement]
  const offered = around.isOpen() ? around.channels.flatMap((channel) => wayOf(channel) ?? []) : []
  // WeChat shows its payment sheet only on a page outside a frame.
  const isElsewhere = device.isInWechat && isFramed && offered.length > 0
  const shown = isElsewhere ? [] : offered
  write(choose, shown.length === 0 ? '' : says.choose)
  showButtons(buttons, shown, (way) => void chooseWay(root, around, way))
  const isFocused = detail.contains(document.activeElement)
  write(said, around.isOpen() && !isElsewhere ? wordsOf(offered) : '')
  said.classList.toggle('busy', chosen?.is === 'opening')
  if (isElsewhere) detail.replaceChildren(jumpTo(around.link, says.openHere))
  else detail.replaceChildren(...(shown.length === 0 ? [] : detailOf(root, around)))
  // The focused element may be gone, as "try again" is after a press.
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
        button.append(walletMark(way.channel), document.createElement('span'))
        return button
      }),
    )
  }
  ways.forEach(({ channel }, index) => {
    const button = root.children[index] as HTMLElement
    write(button.lastElementChild as HTMLElement, channelName(channel))
    button.setAttribute('aria-pressed', String(chosen?.channel === channel))
  })
}

/** The text of the live region: screen readers announce it, and it is visible too. */
function wordsOf(offered: Way[]): string {
  const says = texts()
  if (offered.length === 0) return device.isInWechat ? says.inWechat : says.noChannel
  if (chosen === null) return ''
  switch (chosen.is) {
    case 'opening':
      return says.opening
    case 'trouble':
      return says[chosen.why]
    case 'ready': {
      if (chosen.method === 'jsapi') return ''
      if (chosen.method !== 'native') return says.redirected
      return (chosen.isInstead ? says.scanInstead : says.scanWith)(channelName(chosen.channel))
    }
  }
}

/** Writes only changes: a screen reader would repeat the text otherwise. */
function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** The payer is back from the wallet's sign-in: continue with the way they had chosen. */
export function goOn(root: HTMLElement, around: Around, back: CameBack): void {
  const channel = around.channels.find(({ channel }) => channel === back.channel)
  const way = channel === undefined ? null : wayOf(channel)
  if (!around.isOpen() || way === null) return
  known = back
  if (back.payer !== null) void chooseWay(root, around, way)
  else {
    chosen = troubleWith(way, 'refused')
    showWays(root, around)
  }
}

/** True once, when the shown code or link has expired since the last call. */
export function isStale(nowMs: number): boolean {
  if (chosen?.is !== 'ready' || nowMs < chosen.goodUntilMs) return false
  chosen = troubleWith(wayIn(chosen), 'stale')
  return true
}

const wayIn = ({ channel, method, instead, isInstead }: Way): Way => ({ channel, method, instead, isInstead })

function detailOf(root: HTMLElement, around: Around): HTMLElement[] {
  const says = texts()
  if (chosen === null || chosen.is === 'opening') return []
  const way = chosen
  const app = channelName(way.channel)
  if (way.is === 'trouble') return [plainButton(says.retry, () => void chooseWay(root, around, wayIn(way)))]
  const sandbox = sandboxButton(way.sandbox)
  if (way.method === 'native') {
    const holder = document.createElement('figure')
    holder.className = 'code'
    holder.tabIndex = -1
    holder.append(qrCode(way.payUrl, says.qrOf(app)))
    const jump = opensItself(device, way.channel, way.payUrl) ? [jumpTo(way.payUrl, says.openApp(app))] : []
    return [...jump, holder, ...sandbox]
  }
  if (way.method === 'jsapi') {
    const open = plainButton(says.openApp(app), () => void pay(root, around, way))
    open.className = 'jump'
    return [open, ...sandbox]
  }
  return [jumpTo(way.payUrl, says.openApp(app)), ...sandbox]
}

/** A link out of the page, from a frame into a new tab. Its referrer is set by the server's referrer policy. */
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

/** The page left for the wallet's sign-in. A payer who can press here has come back without an answer. */
const isAway = ({ is, method }: Chosen): boolean => is === 'opening' && method === 'jsapi' && known === null

/** The payer pressed the chosen way again: bring its code or link back into view. */
async function showAgain(root: HTMLElement, around: Around, way: Chosen): Promise<void> {
  if (way.is === 'ready' && way.method === 'jsapi') return pay(root, around, way)
  const shown = root.querySelector<HTMLElement>('.detail > *')
  shown?.scrollIntoView({ block: 'nearest' })
  shown?.focus()
}

/** Shows the wallet's own sheet. However it ends, only the server knows whether the order is paid. */
async function pay(root: HTMLElement, around: Around, way: Chosen & { is: 'ready' }): Promise<void> {
  const end = await showSheet(way.channel, way.payUrl)
  await around.askAgain().catch(() => {})
  if (end !== 'failed' || chosen !== way) return
  chosen = troubleWith(wayIn(way), 'refused')
  showWays(root, around)
}

async function ask(around: Around, way: Way, isMine: () => boolean): Promise<Chosen> {
  const isRefused = (one: Chosen): boolean => one.is === 'trouble' && one.why === 'refused'
  const first = await open(around, way, isMine)
  if (!isRefused(first) || way.instead === null || !around.isOpen() || !isMine()) return first
  const second = await open(around, { ...way, method: way.instead, instead: null, isInstead: true }, isMine)
  // When both were refused, "try again" begins with the better method.
  return isRefused(second) ? first : second
}

/** Asks for the code, repeatedly while it is in doubt. The server makes sure that no second attempt is opened. */
async function open(around: Around, way: Way, isMine: () => boolean): Promise<Chosen> {
  const { channel, method } = way
  const payer = known?.channel === channel ? known.payer : null
  // The browser leaves this page for the sign-in, and comes back with the payer's token.
  if (method === 'jsapi' && payer === null) {
    return signIn(around.link, channel) ? { ...way, is: 'opening' } : troubleWith(way, 'refused')
  }
  for (let tries = 0; tries < DOUBT_TRIES && isMine(); tries += 1) {
    const answer = await post(`${around.link}/attempts`, { channel, method, payer })
    const result = answer === null ? troubleWith(way, 'unreachable') : await resultOf(answer, way, around)
    if (result !== null) return result
    await new Promise((resolve) => setTimeout(resolve, DOUBT_PAUSE_MS))
  }
  return troubleWith(way, 'doubt')
}

/** What the page shows after the server's answer; null while the upstream's result is in doubt. */
async function resultOf(answer: Answer, way: Way, around: Around): Promise<Chosen | null> {
  // The server did not accept the payer's token. The next press begins a new sign-in.
  if (answer.status === 401) known = null
  if (answer.status === 409) await around.askAgain().catch(() => {})
  const result = readAttempt(answer)
  if (result === null) return null
  return typeof result === 'string' ? troubleWith(way, result) : { ...way, ...result }
}

async function post(url: string, body: object): Promise<Answer | null> {
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
