/** The shop's picture and colour on the page. */
import type { PayersShop } from '@acopay/protocol'

export function showShop({ logo, color, text_color }: PayersShop): void {
  const picture = document.getElementById('logo') as HTMLImageElement
  if (logo !== null) {
    // A picture that cannot be shown leaves no broken sign behind.
    picture.addEventListener('error', () => {
      picture.hidden = true
    })
    picture.src = logo
    picture.hidden = false
  }
  if (color === null || text_color === null) return
  const { style, dataset } = document.documentElement
  style.setProperty('--shop', color)
  style.setProperty('--on-shop', text_color)
  dataset.shop = ''
}
