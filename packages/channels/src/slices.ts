/** Large files are worked on in slices: between two of them the event loop serves others. */
import { setImmediate } from 'node:timers/promises'

/** So many rows of a bill as are read within a millisecond. */
const SLICE = 16 * 1024

export async function* slicesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += SLICE) {
    if (at > 0) await setImmediate()
    yield bytes.subarray(at, at + SLICE)
  }
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line)

/** The lines of a text, some at a time, without their ends and without a byte order mark. */
export async function* linesOf(bytes: Buffer, charset: 'utf-8' | 'gbk'): AsyncGenerator<string[]> {
  const decoder = new TextDecoder(charset)
  let begun: string[] = []
  for await (const slice of slicesOf(bytes)) {
    const [first = '', ...others] = decoder.decode(slice, { stream: true }).split('\n')
    begun.push(first)
    if (others.length === 0) continue
    const last = others.pop() ?? ''
    yield [begun.join(''), ...others].map(withoutReturn)
    begun = [last]
  }
  yield [begun.join('') + decoder.decode()]
}
