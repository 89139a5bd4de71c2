/** The style sheets of the payer's page and of the console hold to docs/design.md, and its colours can be read. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const PAGE = read('docs/design.md')
const SHEETS = ['console', 'cashier'] as const
const sheetOf = (app: string): string => read(`apps/${app}/src/style.css`)

/** The values of a row's column, which stand between backticks. */
function cell(row: string, column: number): string[] {
  const line = PAGE.split('\n').find((one) => one.startsWith(`| ${row} |`)) ?? ''
  return (line.split('|')[column]?.replaceAll('`', '').trim() ?? '').split(' ')
}

/** Sizes of properties with these names, in pixels, without a sign. */
function sizesIn(css: string, properties: RegExp): string[] {
  const lines = css.split('\n').filter((line) => properties.test(line))
  const sizes = lines.flatMap((line) => [...line.matchAll(/(?<![\w.])-?(\d+)px/g)].map(([, size = '']) => size))
  return [...new Set(sizes)].sort((a, b) => Number(a) - Number(b))
}

describe.each(SHEETS.map((app, index) => ({ app, column: index + 2 })))(
  'the style sheet of $app',
  ({ app, column }) => {
    it.each([
      ['spacing, px', /^\s+(?:gap|row-gap|padding|margin)[a-z-]*:/],
      ['type, px', /^\s+font-size:|^\s+16px \//],
      ['corners, px', /^\s+border-radius:/],
    ] as const)('has no other %s than the page says, and each that it says', (row, properties) => {
      expect(sizesIn(sheetOf(app), properties)).toEqual(cell(row, column).filter((size) => size !== ''))
    })
  },
)

/** The value of a custom property in the light look, then in the dark one. */
function looksOf(css: string, name: string): string[] {
  const found = [...css.matchAll(new RegExp(`--${name}: (#[0-9a-f]{3,6});`, 'g'))].map(([, color = '']) => color)
  return found.slice(0, 2)
}

const NAMES = {
  console: { good: 'good', busy: 'busy', bad: 'bad', calm: 'calm', paper: 'paper' },
  cashier: { good: 'good', busy: 'warn', bad: 'late', calm: 'bad', paper: 'card' },
} as const

/** Relative luminance of WCAG 2. */
function luminance(color: string): number {
  const hex = color.length === 4 ? [...color.slice(1)].map((digit) => digit + digit).join('') : color.slice(1)
  const [r = 0, g = 0, b = 0] = [0, 2, 4].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
const contrast = (one: string, other: string): number => {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

describe.each(['good', 'busy', 'bad', 'calm'] as const)('the colour of %s', (state) => {
  it.each(SHEETS)('is that of the page in the sheet of %s, and can be read in both looks', (app) => {
    const css = sheetOf(app)
    const colors = looksOf(css, NAMES[app][state])
    const first = app === 'console' ? 3 : 5
    expect(colors).toEqual([cell(state, first)[0], cell(state, first + 1)[0]])
    const paper = looksOf(css, NAMES[app].paper)
    for (const [look, color] of colors.entries()) {
      expect(contrast(color, paper[look] ?? ''), `${app} ${state} ${look}`).toBeGreaterThanOrEqual(4.5)
    }
  })
})
