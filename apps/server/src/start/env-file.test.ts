import { parseEnv } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readEnvText } from './env-file.ts'

const RIGHT: [line: string, name: string, value: string][] = [
  ['PORT=8080', 'PORT', '8080'],
  ['  PORT=8080  ', 'PORT', '8080'],
  ['ACOPAY_SIGNER=', 'ACOPAY_SIGNER', ''],
  ['A=""', 'A', ''],
  ['A=443, 8443', 'A', '443, 8443'],
  ['A="443, 8443"', 'A', '443, 8443'],
  ['A="a#b"', 'A', 'a#b'],
  ['A=\'a $b #c \\n `d` "e"\'', 'A', 'a $b #c \\n `d` "e"'],
  ['A=c2VjcmV0==', 'A', 'c2VjcmV0=='],
  ['DATABASE_URL=postgres://u:p@db:5432/d?a=b&c=d', 'DATABASE_URL', 'postgres://u:p@db:5432/d?a=b&c=d'],
  ['A=翼辉', 'A', '翼辉'],
]

const WRONG = [
  'PORT',
  'PORT = 8080',
  'export PORT=8080',
  '2A=1',
  'A-B=1',
  'A=a#b',
  'A=a # b',
  'A=$HOME',
  'A="$HOME"',
  'A="a\\nb"',
  'A=a\\b',
  'A=`date`',
  'A="a',
  "A='a",
  'A="a" b',
  "A='a''b'",
  "A=it's",
]

describe('a line of a .env file', () => {
  it.each(RIGHT)('%s is taken', (line, name, value) => {
    expect(readEnvText(line)).toEqual({ lines: [{ name, value, line: 1 }], problems: [] })
  })

  it.each(RIGHT)('%s means to Node what it means here', (line, name, value) => {
    expect(parseEnv(line)).toEqual({ [name]: value })
  })

  it.each(WRONG)('%s is refused, and its value is not repeated', (line) => {
    const { lines, problems } = readEnvText(line)
    expect(lines).toEqual([])
    expect(problems).toHaveLength(1)
    expect(problems[0]?.problem).not.toContain(line.slice(line.indexOf('=') + 1) || line)
  })
})

it('lines are counted, blank ones and comments too, and each that is wrong is told', () => {
  const text = '\ufeff# gateway\r\n\r\nPORT=1\r\n  # PORT=2\r\nnonsense\r\nHOST=::1\r\nPORT=3\r\n'
  const { lines, problems } = readEnvText(text)
  expect(lines).toEqual([
    { name: 'PORT', value: '1', line: 3 },
    { name: 'HOST', value: '::1', line: 6 },
  ])
  expect(problems.map(({ line }) => line)).toEqual([5, 7])
  expect(problems[1]?.problem).toMatch(/^PORT .*line 3/)
})
