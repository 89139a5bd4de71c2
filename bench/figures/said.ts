/** What a run says while it goes on: a line for each figure, and where the output is a terminal, what it does just now. */
import { busyNote, type Line } from './line.ts'

export type Say = {
  /** What goes on; the next one replaces it on a terminal. */
  step: (text: string) => void
  line: (text: string) => void
}

export function progress(): Say {
  const { stdout, stderr } = process
  const clear = (): void => void (stderr.isTTY && stderr.write('\r\x1b[2K'))
  const started = performance.now()
  return {
    step(text) {
      const seconds = Math.round((performance.now() - started) / 1000)
      clear()
      stderr.write(`${seconds} s  ${text}${stderr.isTTY ? '' : '\n'}`)
    },
    line(text) {
      clear()
      stdout.write(`${text}\n`)
    },
  }
}

export function lineText(line: Line): string {
  const { work, merchants, processes, node, p50, p99 } = line
  const times = p50 === null || p99 === null ? '' : `  p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} ms`
  const note = busyNote(line)
  return [
    `${work.padEnd(12)} ${String(merchants).padStart(5)} merchants ${processes} processes  Node ${node}`,
    `  ${line.perSecond.toFixed(0).padStart(6)}/s${times}  ${(100 * line.ceiling).toFixed(0)} % of the ceiling  event loop p99 ${line.delayMs.toFixed(0)} ms`,
    `  CPU in signatures: gateway ${line.gateway.toFixed(2)}, database ${line.database.toFixed(2)}, outside ${line.outside.toFixed(2)}` +
      `  statements ${line.statements.toFixed(2)}, transactions ${line.transactions.toFixed(2)}` +
      `  ${line.bytes.toFixed(0)} bytes, ${line.walBytes.toFixed(0)} of WAL`,
    ...(note === null ? [] : [`  ${note}`]),
  ].join('\n')
}
