/**
 * `npm run pictures`: every page and main state in one picture each, below docs/pictures/pages: wide and light in Chinese, wide and dark in
 * English, 390 px and light in English, 390 px and dark in Chinese; and the two pages of docs that show them. `npm run pictures -- order-`
 * takes only those whose name begins so, and leaves the pages of docs alone.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { openPage } from '../test/support/browser.ts'
import { inSandbox, makeOrders, type Scene, signIn } from './pictures/sandbox.ts'
import { OF_CONSOLE, OF_PAYER, type Pictured, pictureDocs } from './pictures/targets.ts'

const DOCS = path.join(import.meta.dirname, '..', 'docs', 'pictures')
const OUT = path.join(DOCS, 'pages')

const WIDE = { viewport: { width: 1280, height: 800 } }
const NARROW = { viewport: { width: 390, height: 800 }, isMobile: true, hasTouch: true }
const LOOKS = [
  { ...WIDE, colorScheme: 'light', language: 'zh' },
  { ...WIDE, colorScheme: 'dark', language: 'en' },
  { ...NARROW, colorScheme: 'light', language: 'en' },
  { ...NARROW, colorScheme: 'dark', language: 'zh' },
] as const
type Look = (typeof LOOKS)[number]

/** In a picture everything is half as large. */
const SCALE = 0.5
const GAP = 12
const QUALITY = 0.72

type Shots = Map<string, string[]>

async function shootLook(scene: Scene, look: Look, shots: Shots, made: Awaited<ReturnType<typeof makeOrders>>) {
  const { language, ...options } = look
  const locale = language === 'zh' ? 'zh-CN' : 'en-US'
  const { page, problems, close } = await openPage(scene.browser, { ...options, locale })
  const shoot = async (name: string): Promise<void> => {
    await page.waitForLoadState('networkidle').catch(() => {})
    // A message of before may still be going away.
    await page.waitForTimeout(300)
    shots.set(name, [...(shots.get(name) ?? []), (await page.screenshot()).toString('base64')])
  }
  for (const { name, path: where } of OF_PAYER.filter(isChosen)) {
    await page.goto(where.replace(/^\{(\w+)\}/, (_, order: string) => made.cashiers[order] ?? ''))
    await shoot(name)
  }
  const inside = OF_CONSOLE.filter(isChosen)
  if (inside.length > 0) {
    await signIn(page, scene, 'account')
    await page.evaluate(`localStorage.setItem('acopay.language', '${language}')`)
    for (const one of inside) await shootInside(page, scene, made.orders, one).then(() => shoot(one.name))
  }
  // One of the states is a filter that is refused.
  for (const problem of problems().filter((one) => !one.includes('400')))
    console.error(`${JSON.stringify(look)}: ${problem}`)
  await close()
}

async function shootInside(page: Page, { demo }: Scene, orders: Record<string, string>, one: Pictured): Promise<void> {
  const where = one.path.replace('{mch}', demo.mchNo).replace(/\{(\w+)\}/, (_, order: string) => orders[order] ?? '')
  await page.goto(`${demo.baseUrl}/console/${where}`)
  await page.locator('main.page h1, main.gate').first().waitFor()
}

const isChosen = ({ name }: Pictured): boolean => name.startsWith(process.argv[2] ?? '')

/** Four pictures beside each other, as one file. Chromium writes WebP; nothing else is needed for it. */
async function together(browser: Browser, shots: string[]): Promise<Buffer> {
  const page = await browser.newPage()
  const how = JSON.stringify({ all: shots, scale: SCALE, gap: GAP, quality: QUALITY })
  const text = await page.evaluate<string>(`(${TOGETHER})(${how})`)
  await page.close()
  return Buffer.from(text.slice(text.indexOf(',') + 1), 'base64')
}

/** Runs in a page. */
const TOGETHER = `async ({ all, scale, gap, quality }) => {
  const images = await Promise.all(
    all.map(async (one) => createImageBitmap(await (await fetch('data:image/png;base64,' + one)).blob())),
  )
  const canvas = document.createElement('canvas')
  canvas.width = images.reduce((sum, { width }) => sum + width * scale + gap, -gap)
  canvas.height = Math.max(...images.map(({ height }) => height * scale))
  const drawing = canvas.getContext('2d')
  drawing.imageSmoothingQuality = 'high'
  drawing.fillStyle = '#808080'
  drawing.fillRect(0, 0, canvas.width, canvas.height)
  let left = 0
  for (const image of images) {
    drawing.drawImage(image, left, 0, image.width * scale, image.height * scale)
    left += image.width * scale + gap
  }
  return canvas.toDataURL('image/webp', quality)
}`

if (execFileSync('fc-list', [':lang=zh']).length === 0) {
  throw new Error(
    'no Chinese font on this machine, so the pictures would have boxes: on Debian, apt-get install fonts-wqy-zenhei',
  )
}

await inSandbox(async (scene) => {
  mkdirSync(OUT, { recursive: true })
  const made = await makeOrders(scene.demo)
  const shots: Shots = new Map()
  for (const look of LOOKS) await shootLook(scene, look, shots, made)
  let bytes = 0
  for (const [name, four] of shots) {
    const file = await together(scene.browser, four)
    bytes += file.length
    writeFileSync(path.join(OUT, `${name}.webp`), file)
  }
  if (process.argv[2] === undefined) {
    for (const [name, text] of Object.entries(pictureDocs())) writeFileSync(path.join(DOCS, name), text)
  }
  console.log(`${shots.size} pictures, ${(bytes / 1e6).toFixed(1)} MB, in ${OUT}`)
})
