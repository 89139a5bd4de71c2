/** Shows the cashier's page in each state that an order can be in, without playing the order there: the page is told so. */
import type { Page } from 'playwright-core'

export const PHASES = ['open', 'closing', 'closed', 'expired', 'paid', 'refunded', 'returning', 'returned'] as const

/** The page at `url` as it is when the order's view has these values. */
export async function showAs(page: Page, url: string, values: Record<string, unknown>): Promise<void> {
  await page.unrouteAll()
  await page.route('**/events', (route) => route.abort())
  await page.route('**/state', (route) => route.abort())
  await page.route(url, async (route) => {
    const response = await route.fetch()
    const html = (await response.text()).replace(
      /(<script type="application\/json" id="order">)(.*?)(?=<\/script>)/,
      (_, tag, json) => {
        const { order } = JSON.parse(json) as { order: object }
        return `${tag}${JSON.stringify({ order: { ...order, ...values } }).replaceAll('<', '\\u003c')}`
      },
    )
    await route.fulfill({ response, body: html })
  })
  await page.goto(url)
}
