/** Text on a merchant's colour. */
import { expect, it } from 'vitest'
import { CONTRAST_MIN, contrastOf, isColor, textOn } from './brand.ts'

it('contrast is WCAG’s', () => {
  expect(contrastOf('#000000', '#ffffff')).toBe(21)
  expect(contrastOf('#ffffff', '#ffffff')).toBe(1)
  // Both are known values of the grey on white that just passes, and of the next lighter one.
  expect(contrastOf('#767676', '#ffffff')).toBeCloseTo(4.54, 2)
  expect(contrastOf('#ffffff', '#777777')).toBeCloseTo(4.48, 2)
})

it('dark parts count in proportion, up to four hundredths, and the others by their power', () => {
  // WCAG's own formula, by hand: 10/255 is below the bound, 11/255 above it.
  const [dark, light] = [10 / 255 / 12.92, ((11 / 255 + 0.055) / 1.055) ** 2.4]
  expect(contrastOf('#0a0a0a', '#000000')).toBeCloseTo((dark + 0.05) / 0.05, 12)
  expect(contrastOf('#0b0b0b', '#000000')).toBeCloseTo((light + 0.05) / 0.05, 12)
})

it('text on every colour can be read', () => {
  const steps = Array.from({ length: 18 }, (_, index) => (index * 15).toString(16).padStart(2, '0'))
  const colors = steps.flatMap((red) => steps.flatMap((green) => steps.map((blue) => `#${red}${green}${blue}`)))
  const worst = Math.min(...colors.map((color) => contrastOf(color, textOn(color))))
  expect(colors).toHaveLength(5832)
  expect(worst).toBeGreaterThanOrEqual(CONTRAST_MIN)
})

it('is white where white can be read, as on most shops’ own colours', () => {
  expect(['#0b5fd3', '#e1251b', '#767676', '#777777', '#ffcc00'].map(textOn)).toEqual([
    '#ffffff',
    '#ffffff',
    '#ffffff',
    '#000000',
    '#000000',
  ])
})

it('a colour is six digits in small letters', () => {
  for (const text of ['#0b5fd3', '#000000']) expect(isColor(text)).toBe(true)
  for (const text of ['', 'x#0b5fd3', '#fff', '#0B5FD3', 'red', '#0b5fd3;', '#0b5fd3\n', 'url(#a)'])
    expect(isColor(text), text).toBe(false)
})
