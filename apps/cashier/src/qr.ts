/** A QR code drawn in the page, so that no other service sees the payment link. */
import { create } from 'qrcode'

const SVG = 'http://www.w3.org/2000/svg'
/** The quiet zone that the QR standard requires. */
const MARGIN = 4

export function qrCode(text: string, label: string): SVGSVGElement {
  const { modules } = create(text, { errorCorrectionLevel: 'M' })
  const { size } = modules
  let path = ''
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      if (modules.get(row, column)) path += `M${column + MARGIN} ${row + MARGIN}h1v1h-1z`
    }
  }
  const svg = document.createElementNS(SVG, 'svg')
  const extent = size + 2 * MARGIN
  for (const [name, value] of Object.entries({
    viewBox: `0 0 ${extent} ${extent}`,
    role: 'img',
    'aria-label': label,
    'shape-rendering': 'crispEdges',
    class: 'qr',
  })) {
    svg.setAttribute(name, value)
  }
  const dark = document.createElementNS(SVG, 'path')
  dark.setAttribute('d', path)
  svg.append(dark)
  return svg
}
