/** The payer's page: draws the order's state and asks the server for a way to pay. */
import type { PayersShop } from '@acopay/protocol'
import { showAfter } from './after.ts'
import { type Fact, showFacts } from './facts.ts'
import { money, time } from './format.ts'
import { live } from './live.ts'
import { type Channel, isFinal, type Order } from './order.ts'
import { tellParent } from './parent.ts'
import { showShop } from './shop.ts'
import { showClock, showStatus } from './status.ts'
import { isChinese, switchLanguage, texts } from './texts.ts'
import { announcer } from './urgency.ts'
import { cameBack } from './wallet.ts'
import { goOn, isStale, showWays } from './ways.ts'

const element = (id: string): HTMLElement => document.getElementById(id) as HTMLElement

const link = location.pathname.replace(/\/$/, '')
type Read = Order & { channels: Channel[]; shop: PayersShop }
const { order: read } = JSON.parse(element('order').textContent ?? '') as { order: Read }
const { channels, shop } = read
let order: Order = read
let isConnected = true
/** How far the server's clock is ahead of this device's. */
let aheadMs = Date.parse(order.now) - Date.now()
const serverMs = (): number => Date.now() + aheadMs

const remainingMs = (): number => Date.parse(order.expires_at) - serverMs()
const announces = announcer()

const around = { isOpen: () => order.phase === 'open', channels, link, askAgain: refresh }

const tell = (text: string): void => {
  element('spoken').textContent = text
}

function draw(): void {
  const says = texts()
  document.documentElement.lang = isChinese() ? 'zh-CN' : 'en'
  for (const one of document.querySelectorAll<HTMLElement>('[data-text]')) {
    one.textContent = says[one.dataset.text as 'brand' | 'foot']
  }
  document.title = `${order.phase === 'open' ? money(order.amount) : says[order.phase]} · ${order.merchant}`
  element('language').textContent = says.switch
  element('language').lang = isChinese() ? 'en' : 'zh-CN'
  element('merchant').textContent = order.merchant
  element('amount').textContent = money(order.amount)
  element('amount').setAttribute('aria-label', says.amountOf(order.amount))
  element('description').textContent = order.description
  showStatus(element('status'), order, isConnected)
  showClock(element('clock'), order, remainingMs())
  showAfter(element('after'), order, { shop, link })
  const hadFocus = element('ways').contains(document.activeElement)
  showWays(element('ways'), around)
  // What had the focus is gone once the order can no longer be paid: go on at the words that say so.
  if (hadFocus && order.phase !== 'open') element('status').querySelector<HTMLElement>('h2')?.focus()
  showFacts(element('facts'), factsNow(), tell)
}

function factsNow(): Fact[] {
  const says = texts()
  const facts: Fact[] = [{ name: says.orderNo, value: order.transaction_no, isCopied: true }]
  if (order.phase === 'open') facts.push({ name: says.expiresAt, value: time(order.expires_at) })
  if (order.paid_at !== null) facts.push({ name: says.paidAt, value: time(order.paid_at) })
  return facts
}

/** Each second: the clock, and what is read aloud of it. */
function tick(): void {
  showStatus(element('status'), order, isConnected)
  showClock(element('clock'), order, remainingMs())
  const news = order.phase === 'open' ? announces(remainingMs()) : null
  if (news !== null) tell(news === 'soon' ? texts().soonSpoken : texts().lastSpoken)
  if (isStale(serverMs())) showWays(element('ways'), around)
}

function hear(next: Order): void {
  aheadMs = Date.parse(next.now) - Date.now()
  const isSame = JSON.stringify({ ...next, now: '' }) === JSON.stringify({ ...order, now: '' })
  order = { ...next }
  if (next.moved !== undefined) document.body.dataset.moved = next.moved
  if (!isSame) draw()
  tellParent(order)
}

async function refresh(): Promise<void> {
  const response = await fetch(`${link}/state`, { cache: 'no-store' })
  if (response.ok) hear(await response.json())
}

element('language').addEventListener('click', () => {
  switchLanguage()
  draw()
})
setInterval(tick, 1000)
showShop(shop)
draw()
const back = cameBack()
if (back !== null) goOn(element('ways'), around, back)
tellParent(order)
live(
  link,
  {
    onOrder: hear,
    onConnected: (now) => {
      isConnected = now
    },
  },
  isFinal,
)
