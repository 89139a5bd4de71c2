/**
 * A sign for each wallet, in its own colour, beside its name. These are drawings of ours: the wallets allow their logos only as the
 * files that they give out, unchanged, so none is drawn after (docs/decisions/0046-payers-page.md).
 */

const SVG = 'http://www.w3.org/2000/svg'

/** Strokes on 24 by 24: a speech bubble with a yuan sign; the character for "pay". */
const STROKES: Record<string, string> = {
  wechat: 'M5 6.5h14v9h-7l-4 3v-3H5zM9.5 8.5l2.5 3 2.5-3M12 11.5v3M10 12.5h4',
  alipay: 'M5.5 8.5h13M12 5v7M7 12h9.5c-1 3-4.5 6-10 7M8.5 13.5c2 2.6 5 4.6 9.5 5.5',
}
const OTHER = 'M4.5 7h15v10h-15zM4.5 10h15'

export function walletMark(channel: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('class', 'wallet')
  svg.setAttribute('aria-hidden', 'true')
  const tile = document.createElementNS(SVG, 'rect')
  for (const side of ['width', 'height']) tile.setAttribute(side, '24')
  tile.setAttribute('rx', '6')
  const strokes = document.createElementNS(SVG, 'path')
  strokes.setAttribute('d', STROKES[channel] ?? OTHER)
  svg.append(tile, strokes)
  return svg
}
