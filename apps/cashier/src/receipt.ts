/** The receipt: what was paid, to whom, when and how, to print or to copy. */
import type { PayersReceipt } from '@acopay/protocol'
import { anchor } from './anchor.ts'
import { type Fact, showFacts } from './facts.ts'
import { money, time } from './format.ts'
import { showShop } from './shop.ts'
import { channelName, isChinese, switchLanguage, texts } from './texts.ts'

const element = (id: string): HTMLElement => document.getElementById(id) as HTMLElement
const { receipt } = JSON.parse(element('receipt').textContent ?? '') as { receipt: PayersReceipt }
const order = location.pathname.replace(/\/receipt\/?$/, '')

function draw(): void {
  const says = texts()
  const isPaid = receipt.paid_at !== null
  document.documentElement.lang = isChinese() ? 'zh-CN' : 'en'
  document.title = `${says.receiptTitle} · ${receipt.merchant}`
  const write: [string, string][] = [
    ['language', says.switch],
    ['merchant', receipt.merchant],
    ['title', isPaid ? says.receiptTitle : says.noReceipt],
    ['amount', money(receipt.amount)],
    ['description', receipt.description],
    ['note', isPaid ? says.receiptNote(time(receipt.now)) : says.noReceiptMore],
    ['print', says.print],
  ]
  for (const [id, text] of write) element(id).textContent = text
  for (const one of document.querySelectorAll('[data-text="brand"]')) one.textContent = says.brand
  element('language').lang = isChinese() ? 'en' : 'zh-CN'
  element('print').hidden = !isPaid
  element('amount').hidden = !isPaid
  element('back').replaceChildren(anchor(order, says.backToOrder, 'plain link'))
  showFacts(element('facts'), factsOf(receipt), (text) => {
    element('spoken').textContent = text
  })
}

function factsOf({ merchant, description, amount, channel, paid_at, refunded, transaction_no }: PayersReceipt): Fact[] {
  const says = texts()
  const number: Fact = { name: says.orderNo, value: transaction_no, isCopied: true }
  if (paid_at === null || channel === null) return [number]
  return [
    { name: says.payee, value: merchant },
    { name: says.goods, value: description },
    { name: says.paidAmount, value: money(amount) },
    { name: says.paidWith, value: channelName(channel) },
    { name: says.paidAtChina, value: time(paid_at) },
    ...(refunded === null ? [] : [{ name: says.refundedAmount, value: money(refunded) }]),
    number,
  ]
}

element('language').addEventListener('click', () => {
  switchLanguage()
  draw()
})
element('print').addEventListener('click', () => print())
showShop(receipt.shop)
draw()
