/** How tables of figures are written, in two languages. Pure. */
import type { Text } from '../work/names.ts'
import type { Line } from './line.ts'

/** On what a run was made. */
export type RunOf = { date: string; commit: string; cores: number; node: string; postgres: string; orders: number }

export const row = (cells: string[]): string => `| ${cells.join(' | ')} |`
export const head = (cells: string[]): string[] => [row(cells), `|${cells.map(() => '---|').join('')}`]

/** Three figures that count. */
export function figure(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export const BUSY_MARK: Text = {
  en: '† The machine was busy: signatures before and after differ by more than 15 %, or other processes took more than 15 % of the cores.',
  zh: '† 机器当时繁忙：之前与之后的签名相差超过15 %，或其他进程占用了核的15 %以上。',
}

export function aboutRun({ date, commit, cores, node, postgres, orders }: RunOf, lines: Line[]): Text {
  const us = (lines.reduce((sum, line) => sum + line.signatureUs, 0) / Math.max(1, lines.length)).toFixed(0)
  return {
    en: `${date}, commit ${commit}, ${cores} cores, Node ${node}, PostgreSQL ${postgres} and the load on the same cores, \`--orders ${orders}\`. CPU in RSA-2048 signatures of the same run (${us} µs each).`,
    zh: `${date}，提交 ${commit}，${cores} 个核，Node ${node}，PostgreSQL ${postgres} 与负载在同样的核上，\`--orders ${orders}\`。CPU 以同一次运行的 RSA-2048 签名为单位（每次 ${us} µs）。`,
  }
}
