/**
 * The finance day of docs/tutorials/finance.md by mouse: a difference is planted, the night passes, the bill is fetched, the difference is
 * found and settled, and the month's statement is exported. It is added up here, outside of the gateway, and held against the books.
 */
import './support/only-long.ts'
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ConsolePages, openConsole } from './support/console-pages.ts'
import { call, close as closeOrder, newTradeNo, openAttempt, pay, place } from './support/gateway.ts'

let pages: ConsolePages
beforeAll(async () => {
  pages = await openConsole()
})
afterAll(() => pages.close())

type Channel = 'wechat' | 'alipay'

async function sold(amount_total: string, channel: Channel = 'wechat'): Promise<string> {
  const { demo } = pages.gateway
  const order = await place(demo, { amount_total })
  await pay(demo, order, (await openAttempt(demo, order, channel)) ?? '')
  return order
}

/** A day of trade: two sales that stay, one of which is refunded in part, one that will go back unnoticed, and money that came late. */
async function tradeOfADay(): Promise<{ planted: string }> {
  const { demo } = pages.gateway
  const first = await sold('100.00')
  await sold('36.00', 'alipay')
  const params = {
    transaction_no: first,
    refund_amount: '20.00',
    refund_reason: '少发一件',
    mch_refund_no: newTradeNo(),
  }
  await call(demo, { method: 'POST', path: 'refund', params })
  const late = await place(demo, { amount_total: '12.50' })
  const attempt = (await openAttempt(demo, late)) ?? ''
  await closeOrder(demo, late)
  await pay(demo, late, attempt, 'pay-anyway')
  return { planted: await sold('58.00') }
}

/** What a press of this button saves, as lines of cells. No cell of these files has a comma in it. */
async function savedBy(page: Page, press: () => Promise<void>): Promise<string[][]> {
  const [file] = await Promise.all([page.waitForEvent('download'), press()])
  const text = readFileSync(await file.path(), 'utf8').replace(/^\ufeff/, '')
  return text
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','))
}

const fenOf = (yuan = ''): bigint => BigInt(yuan.replace('.', ''))
const KINDS = ['PAYMENT', 'REFUND', 'REVERSAL'] as const

/** The sum of the lines of each kind, added up from the cells. */
function sums(lines: string[][], { kind, amount }: { kind: number; amount: number }): bigint[] {
  return KINDS.map((one) =>
    lines.filter((cells) => cells[kind] === one).reduce((sum, cells) => sum + fenOf(cells[amount]), 0n),
  )
}

async function booksOf(month: string): Promise<bigint[]> {
  const { pool } = pages.gateway.database
  const sum = async (table: string, done: string): Promise<bigint> => {
    const { rows } = await pool.query<{ fen: bigint }>(
      `select coalesce(sum(amount_fen), 0)::bigint as fen from ${table}
        where mch_no = $1 and to_char(bill_day, 'YYYY-MM') = $2 and ${done}`,
      [pages.gateway.demo.mchNo, month],
    )
    return BigInt(rows[0]?.fen ?? 0)
  }
  return [
    await sum('payment', 'true'),
    await sum('refund', `state = 'SUCCESS'`),
    await sum('reversal', `state = 'SUCCESS'`),
  ]
}

it("yesterday's bill, a planted difference found and settled, and the month's statement, which adds up outside", async () => {
  const { demo } = pages.gateway
  const { planted } = await tradeOfADay()
  const day = planted.replace(/^AP(\d{4})(\d\d)(\d\d).*/, '$1-$2-$3')
  const month = day.slice(0, 7)

  // The shop's own people send the 58.00 back in the upstream's pages, and the night passes.
  const boss = await pages.signedInAt('platform-admin', `sandbox?mch_no=${demo.mchNo}&transaction_no=${planted}`)
  await boss.page.getByRole('region', { name: '测试订单' }).getByRole('button', { name: '上游自行退款' }).click()
  await boss.page.getByText('网关从次日的对账得知').waitFor()
  const clock = boss.page.getByRole('region', { name: '沙箱的时钟' })
  await clock.getByRole('button', { name: '次日 10:30（账单已出）' }).click()
  await boss.page.getByText('沙箱时间现在是').waitFor({ timeout: 120_000 })

  // Finance: the bill of yesterday, by its button.
  const { page, problems, close } = await pages.signedInAt('finance', '', { acceptDownloads: true })
  const menu = page.getByRole('navigation', { name: '菜单' })
  await menu.getByRole('link', { name: '对账单' }).click()
  const download = page.getByRole('button', { name: `下载 ${day} ${demo.mchNo}` })
  const bill = await savedBy(page, () => download.click())
  const at = { kind: bill[0]?.indexOf('kind') ?? -1, amount: bill[0]?.indexOf('amount') ?? -1 }
  expect(sums(bill, at)).toEqual([20_650n, 2000n, 1250n])

  // The upstream gave 58.00 back that our books of that day do not know.
  await page.getByRole('link', { name: `对比上游 ${day} ${demo.mchNo}` }).click()
  const compared = page.getByRole('row', { name: /微信支付/ })
  await compared.waitFor()
  const text = await compared.innerText()
  // Ours and theirs, received and refunded: theirs have 58.00 more that went back.
  for (const part of ['¥170.50 (3)', '¥32.50 (2)', '¥90.50 (3)']) expect(text).toContain(part)
  await compared.getByRole('link', { name: /^1 \(/ }).click()
  await page.getByRole('row', { name: new RegExp(`已入账的支付在上游被退回.*${planted}.*¥58\\.00`) }).waitFor()
  await page.getByRole('button', { name: '标记为已处理' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('备注').fill('李在微信后台退回，已与顾客确认')
  await dialog.getByRole('button', { name: '标记为已处理' }).click()
  await page.getByRole('row', { name: /李在微信后台退回，已与顾客确认 · finance/ }).waitFor()

  // The statement of the month, as CSV.
  await menu.getByRole('link', { name: '对账单' }).click()
  await page.getByLabel('商户', { exact: true }).fill(demo.mchNo)
  await page.getByRole('button', { name: /^查\s?询$/ }).click()
  await page.getByLabel('月结单').fill(month)
  const statement = page.locator('.buttons', { has: page.getByLabel('月结单') })
  const lines = await savedBy(page, () => statement.getByRole('button', { name: '导出 CSV' }).click())
  const columns = { kind: lines[0]?.indexOf('种类') ?? -1, amount: lines[0]?.indexOf('金额') ?? -1 }
  const added = sums(lines, columns)
  expect(added).toEqual(await booksOf(month))
  expect(added[0]).toBe(20_650n)
  const totals = ['TOTAL_PAYMENT', 'TOTAL_REFUND', 'TOTAL_REVERSAL', 'TOTAL_NET'].map((name) =>
    fenOf(lines.find((cells) => cells[columns.kind] === name)?.[columns.amount]),
  )
  const [paid = 0n, refunded = 0n, reversed = 0n] = added
  expect(totals).toEqual([paid, refunded, reversed, paid - refunded - reversed])

  expect([...problems(), ...boss.problems()]).toEqual([])
  await Promise.all([close(), boss.close()])
}, 300_000)
