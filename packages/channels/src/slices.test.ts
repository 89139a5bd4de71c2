import { expect, it } from 'vitest'
import { linesOf, slicesOf } from './slices.ts'

async function all(bytes: Buffer, charset: 'utf-8' | 'gbk' = 'utf-8'): Promise<string[]> {
  const lines: string[] = []
  for await (const some of linesOf(bytes, charset)) lines.push(...some)
  return lines
}

it('the lines of a text are the same in slices, wherever a slice ends: within a line, its end or a character', async () => {
  const text = Array.from({ length: 3000 }, (_, index) => `第${index}行,${'长'.repeat(index % 40)}`).join('\r\n')
  for (const ahead of [0, 1, 2, 3, 4]) {
    const whole = `${'x'.repeat(ahead)}${text}`
    expect(await all(Buffer.from(whole))).toEqual(whole.split('\r\n'))
  }
  expect(await all(Buffer.from(text.replaceAll('\r', '')))).toEqual(text.split('\r\n'))
  // A character of GBK is two bytes, of which the slice's end may lie between.
  const gbk = Buffer.from([0x78, ...Array.from({ length: 40_000 }, () => [0xd6, 0xd0]).flat(), 0x0a, 0xce, 0xc4])
  expect(await all(gbk, 'gbk')).toEqual([`x${'中'.repeat(40_000)}`, '文'])
})

it('a byte order mark is no part of the first line, and no text at all is one empty line', async () => {
  expect(await all(Buffer.from('\ufeffa\nb'))).toEqual(['a', 'b'])
  expect(await all(Buffer.alloc(0))).toEqual([''])
  expect(await all(Buffer.from('a\n'))).toEqual(['a', ''])
})

it('between two slices others have their turn, and a small file is read in one', async () => {
  let turns = 0
  const count = (): void => {
    turns += 1
    waiting = setImmediate(count)
  }
  let waiting = setImmediate(count)
  let slices = 0
  for await (const slice of slicesOf(Buffer.alloc(1_000_000))) slices += Math.sign(slice.length)
  expect(turns).toBeGreaterThanOrEqual(slices - 2)
  expect(slices).toBeGreaterThan(50)
  const before = turns
  for await (const _ of slicesOf(Buffer.alloc(10_000))) slices += 1
  expect(turns).toBe(before)
  clearImmediate(waiting)
})
