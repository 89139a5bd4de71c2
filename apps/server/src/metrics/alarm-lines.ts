/** The log lines of this process that are worth an alert, kept in memory until the alarms are looked at. */

export type AlarmLine = { message: string; count: number; examples: { mchNo: string; number: string }[] }

export type AlarmLines = {
  note: (line: object, message: string) => void
  /** Those since the last time. */
  take: () => AlarmLine[]
  /** Puts back what could not be written. */
  putBack: (lines: AlarmLine[]) => void
}

const EXAMPLES_MAX = 3
/** The texts are those of the code. More are a mistake, and not worth the memory. */
const MESSAGES_MAX = 100
const NUMBERS = ['transactionNo', 'refundNo', 'attemptNo', 'subject']

export function alarmLines(): AlarmLines {
  let kept = new Map<string, AlarmLine>()
  const add = ({ message, count, examples }: AlarmLine): void => {
    const known = kept.get(message) ?? { message, count: 0, examples: [] }
    if (kept.size >= MESSAGES_MAX && !kept.has(message)) return
    known.count += count
    known.examples = [...known.examples, ...examples].slice(0, EXAMPLES_MAX)
    kept.set(message, known)
  }
  return {
    note: (line, message) => add({ message, count: 1, examples: exampleOf(line as Record<string, unknown>) }),
    take() {
      const taken = [...kept.values()]
      kept = new Map()
      return taken
    },
    putBack: (lines) => lines.forEach(add),
  }
}

function exampleOf(line: Record<string, unknown>): AlarmLine['examples'] {
  const { mchNo } = line
  const name = NUMBERS.find((one) => typeof line[one] === 'string')
  if (typeof mchNo !== 'string') return []
  return [{ mchNo, number: name === undefined ? '' : String(line[name]) }]
}
