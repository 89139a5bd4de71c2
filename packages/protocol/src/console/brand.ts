/** The text on a merchant's own colour. The console's preview and the payer's page take it from here, so that they agree. */

const COLOR = /^#[0-9a-f]{6}$/

export const isColor = (text: string): boolean => COLOR.test(text)

/** WCAG 2.2, 1.4.3: what text of a normal size needs. */
export const CONTRAST_MIN = 4.5

const WHITE = '#ffffff'
const BLACK = '#000000'

/** "Relative luminance" of WCAG: 0 for black, 1 for white. */
function luminanceOf(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** "Contrast ratio" of WCAG, from 1 to 21. */
export function contrastOf(one: string, other: string): number {
  const [dark, light] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => a - b) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

/** White where it can be read on this colour, else black. One of the two always has the contrast: their worst colour has 4.58. */
export const textOn = (color: string): string => (contrastOf(color, WHITE) >= CONTRAST_MIN ? WHITE : BLACK)
