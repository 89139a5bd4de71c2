/** A chart of volumes, and the same figures as a table for screen readers. */
import type { Volume } from '@acopay/protocol/console'
import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use as withParts } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { useEffect, useRef } from 'react'
import { yuan } from '../../format.ts'
import { type Preferences, usePreferences } from '../../preferences.tsx'
import { closed } from './figures.ts'

withParts([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer])

type Row = Volume & { from: string }

export function Chart({ title, rows, labelOf }: { title: string; rows: Row[]; labelOf: (from: string) => string }) {
  const { t, isDark } = usePreferences()
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (place.current === null) return
    const labels = rows.map(({ from }) => labelOf(from))
    const option = { ...lookOf(isDark), xAxis: { type: 'category', data: labels }, series: seriesOf(rows, t) }
    return drawChart(place.current, isDark, option)
  }, [rows, labelOf, isDark, t])
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <div ref={place} className="chart" role="img" aria-label={`${t('chart')}: ${title}`} />
      <Figures title={title} rows={rows} labelOf={labelOf} />
    </section>
  )
}

/** Draws a chart that follows the size of its place, which a slow style sheet may change late. Returns what ends it. */
export function drawChart(place: HTMLDivElement, isDark: boolean, option: Record<string, unknown>): () => void {
  const chart = init(place, isDark ? 'dark' : null, { renderer: 'svg' })
  chart.setOption(option)
  const watch = new ResizeObserver(() => chart.resize())
  watch.observe(place)
  return () => {
    watch.disconnect()
    chart.dispose()
  }
}

export const lookOf = (isDark: boolean) => ({
  backgroundColor: 'transparent',
  animation: false,
  grid: { left: 8, right: 8, top: 36, bottom: 4, containLabel: true },
  legend: { type: 'scroll', top: 0, textStyle: { fontSize: 12 } },
  // The library's other tooltip writes style attributes, which the page's content security policy forbids.
  tooltip: { trigger: 'axis', renderMode: 'richText' },
  yAxis: { type: 'value', minInterval: 1 },
  color: isDark
    ? ['#57c773', '#8ab8ff', '#c9a2ff', '#e0ae4a', '#ff8f87']
    : ['#1a7f37', '#0f56b3', '#7a3fc4', '#8a5a00', '#b3261e'],
})

/** How the orders of each stretch of time ended, stacked, and the payments that were returned as a line. */
function seriesOf(rows: Row[], t: Preferences['t']) {
  const bars = (name: string, of: (row: Row) => number) => ({
    type: 'bar' as const,
    name,
    stack: 'all',
    data: rows.map(of),
  })
  return [
    bars(t('paidOrders'), ({ paid }) => paid),
    bars(t('byMerchant'), ({ closed_by_merchant }) => closed_by_merchant),
    bars(t('byExpiry'), ({ closed_by_expiry }) => closed_by_expiry),
    bars(t('byOperator'), ({ closed_by_operator }) => closed_by_operator),
    { type: 'line', name: t('moneySentBack'), data: rows.map(({ reversals }) => reversals), symbol: 'none' },
  ]
}

const COLUMNS = ['at', 'placed', 'paidOrders', 'paidAmount', 'closedOrders', 'moneySentBack'] as const

/** The chart's figures as a table that only screen readers see. */
function Figures({ title, rows, labelOf }: { title: string; rows: Row[]; labelOf: (from: string) => string }) {
  const { t } = usePreferences()
  return (
    <div className="only-read">
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            {COLUMNS.map((text) => (
              <th key={text} scope="col">
                {t(text)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.from}>
              <th scope="row">{labelOf(row.from)}</th>
              <td>{row.placed}</td>
              <td>{row.paid}</td>
              <td>{yuan(row.paid_amount)}</td>
              <td>{closed(row)}</td>
              <td>{row.reversals}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
