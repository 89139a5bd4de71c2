/** A chart of volumes, and the same as a table for those who do not see it. */
import type { Volume } from '@acopay/protocol/console'
import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use as withParts } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { useEffect, useRef } from 'react'
import { yuan } from '../format.ts'
import { usePreferences } from '../preferences.tsx'

withParts([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer])

type Row = Volume & { from: string }

export function Chart({ title, rows, labelOf }: { title: string; rows: Row[]; labelOf: (from: string) => string }) {
  const { t, isDark } = usePreferences()
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (place.current === null) return
    const chart = init(place.current, isDark ? 'dark' : null, { renderer: 'svg' })
    const bars = (name: string, of: (row: Row) => number, stack: string) => ({
      type: 'bar' as const,
      name,
      stack,
      data: rows.map(of),
    })
    chart.setOption({
      backgroundColor: 'transparent',
      animation: false,
      grid: { left: 8, right: 8, top: 36, bottom: 4, containLabel: true },
      legend: { type: 'scroll', top: 0, textStyle: { fontSize: 12 } },
      // Drawn into the page's own rich text; the other kind writes style attributes, which the policy forbids.
      tooltip: { trigger: 'axis', renderMode: 'richText' },
      xAxis: { type: 'category', data: rows.map(({ from }) => labelOf(from)) },
      yAxis: { type: 'value', minInterval: 1 },
      color: isDark
        ? ['#57c773', '#8ab8ff', '#c9a2ff', '#e0ae4a', '#ff8f87']
        : ['#1a7f37', '#0f56b3', '#7a3fc4', '#8a5a00', '#b3261e'],
      series: [
        bars(t('paidOrders'), ({ paid }) => paid, 'all'),
        bars(t('byMerchant'), ({ closed_by_merchant }) => closed_by_merchant, 'all'),
        bars(t('byExpiry'), ({ closed_by_expiry }) => closed_by_expiry, 'all'),
        bars(t('byOperator'), ({ closed_by_operator }) => closed_by_operator, 'all'),
        { type: 'line', name: t('moneySentBack'), data: rows.map(({ reversals }) => reversals), symbol: 'none' },
      ],
    })
    const resize = (): void => chart.resize()
    window.addEventListener('resize', resize)
    return () => {
      window.removeEventListener('resize', resize)
      chart.dispose()
    }
  }, [rows, labelOf, isDark, t])
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <div ref={place} className="chart" role="img" aria-label={`${t('chart')}: ${title}`} />
      <table className="only-read">
        <caption>{title}</caption>
        <thead>
          <tr>
            {(['createdAt', 'placed', 'paidOrders', 'paidAmount', 'closedOrders', 'moneySentBack'] as const).map(
              (text) => (
                <th key={text} scope="col">
                  {t(text)}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.from}>
              <th scope="row">{labelOf(row.from)}</th>
              <td>{row.placed}</td>
              <td>{row.paid}</td>
              <td>{yuan(row.paid_amount)}</td>
              <td>{row.closed_by_merchant + row.closed_by_expiry + row.closed_by_operator}</td>
              <td>{row.reversals}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
