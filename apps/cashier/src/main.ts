/** The payer's page: draws the order's state and asks the server for a way to pay. */
import { money, time } from './format.ts'
import { live } from './live.ts'
import { type Channel, isFinal, type Order } from './order.ts'
import { tellParent } from './parent.ts'
import { showStatus } from './status.ts'
import { isChinese, switchLanguage, texts } from './texts.ts'
import { cameBack } from './wallet.ts'
import { goOn, isStale, showWays } from './ways.ts'

const element = (id: string): HTMLElement => document.getElementById(id) as HTMLElement

const link = location.pathname.replace(/\/$/, '')
let { order, channels }: { order: Order; channels: Channel[] } = (() => {
  const { order: read } = JSON.parse(element('order').textContent ?? '') as { order: Order & { channels: Channel[] } }
  return { order: read, channels: read.channels }
})()
let isConnected = true
/** How far the server's clock is ahead of this device's. */
let aheadMs = Date.parse(order.now) - Date.now()
const serverMs = (): number => Date.now() + aheadMs

const around = { isOpen: () => order.phase === 'open', channels, link, askAgain: refresh }

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
  showStatus(element('status'), order, { remainingMs: Date.parse(order.expires_at) - serverMs(), isConnected })
  showWays(element('ways'), around)
  showFacts()
}

function showFacts(): void {
  const says = texts()
  const facts: [string, string][] = [[says.orderNo, order.transaction_no]]
  if (order.phase === 'open') facts.push([says.expiresAt, time(order.expires_at)])
  if (order.paid_at !== null) facts.push([says.paidAt, time(order.paid_at)])
  element('facts').replaceChildren(
    ...facts.flatMap(([name, value]) => {
      const [term, what] = [document.createElement('dt'), document.createElement('dd')]
      term.textContent = name
      what.textContent = value
      return [term, what]
    }),
  )
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
setInterval(() => {
  showStatus(element('status'), order, { remainingMs: Date.parse(order.expires_at) - serverMs(), isConnected })
  if (isStale(serverMs())) showWays(element('ways'), around)
}, 1000)
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
