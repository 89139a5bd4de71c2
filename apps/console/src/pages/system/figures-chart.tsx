/** Paid, refunded and returned amounts as bars, and the number of payments as a line. The table beside it has the same figures. */
import type { FigureRow } from '@acopay/protocol/console'
import { useEffect, useRef } from 'react'
import { type Preferences, usePreferences } from '../../preferences.tsx'
import { drawChart, lookOf } from './chart.tsx'

export function FiguresChart({ title, rows, labels }: { title: string; rows: FigureRow[]; labels: string[] }) {
  const { t, isDark } = usePreferences()
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (place.current === null) return
    return drawChart(place.current, isDark, {
      ...lookOf(isDark),
      xAxis: { type: 'category', data: labels },
      yAxis: [
        { type: 'value', name: t('amount') },
        { type: 'value', name: t('count'), minInterval: 1, splitLine: { show: false } },
      ],
      series: seriesOf(rows, t),
    })
  }, [rows, labels, isDark, t])
  return <div ref={place} className="chart" role="img" aria-label={`${t('chart')}: ${title}`} />
}

function seriesOf(rows: FigureRow[], t: Preferences['t']) {
  const bars = (name: string, of: (row: FigureRow) => string) => ({
    type: 'bar' as const,
    name,
    data: rows.map((row) => Number(of(row))),
  })
  return [
    bars(t('paidAmount'), (row) => row.paid_amount),
    bars(t('refundedAmount'), (row) => row.refunded_amount),
    bars(t('reversedAmount'), (row) => row.reversed_amount),
    { type: 'line' as const, name: t('paidOrders'), yAxisIndex: 1, data: rows.map(({ paid }) => paid), symbol: 'none' },
  ]
}
