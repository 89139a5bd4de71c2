/** A picture of figures by minute, as SVG: panels one below the other, each with a scale of its own and its bound as a dashed line. Pure. */

export type Panel = {
  title: string
  points: { x: number; y: number }[]
  /** What the figure should stay below; null where nothing is promised. */
  bound: number | null
}

const WIDTH = 720
const PANEL = 150
const LEFT = 56
const RIGHT = 12
const TOP = 30
const BOTTOM = 26

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
const short = (value: number): string => (value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2))))

/** The smallest of 1, 2, 5 × a power of ten that is not below the value. */
export function roundUp(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((one) => one * power >= value) ?? 10) * power
}

export function plot(title: string, panels: Panel[]): string {
  const height = TOP + panels.length * PANEL
  const body = panels.map((panel, index) => drawn(panel, TOP + index * PANEL))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="18" font-size="14">${escaped(title)}</text>`,
    ...body,
    '</svg>\n',
  ].join('\n')
}

function drawn({ title, points, bound }: Panel, top: number): string {
  const last = Math.max(1, ...points.map(({ x }) => x))
  const most = roundUp(Math.max(bound ?? 0, ...points.map(({ y }) => y)))
  const bottom = top + PANEL - BOTTOM
  const xOf = (x: number): string => (LEFT + (x / last) * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const yOf = (y: number): string => (bottom - (y / most) * (bottom - top - 18)).toFixed(1)
  const line = points.map(({ x, y }) => `${xOf(x)},${yOf(y)}`).join(' ')
  const end = WIDTH - RIGHT
  return [
    `<text x="${LEFT}" y="${top + 12}">${escaped(title)}</text>`,
    `<path d="M${LEFT} ${yOf(most)}V${bottom}H${end}" fill="none" stroke="#888"/>`,
    `<text x="${LEFT - 6}" y="${yOf(most)}" text-anchor="end" dy="4">${short(most)}</text>`,
    `<text x="${LEFT - 6}" y="${bottom}" text-anchor="end" dy="4">0</text>`,
    `<text x="${end}" y="${bottom + 16}" text-anchor="end">${short(last)} min</text>`,
    ...(bound === null ? [] : [`<path d="M${LEFT} ${yOf(bound)}H${end}" stroke="#c33" stroke-dasharray="5 4"/>`]),
    `<polyline points="${line}" fill="none" stroke="#1668dc" stroke-width="1.6"/>`,
  ].join('\n')
}
