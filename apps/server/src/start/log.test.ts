import { PassThrough } from 'node:stream'
import { setImmediate as soon } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { isReadByPeople, openLog, readable } from './log.ts'

const SECRET = 'MIIE-a-private-key'
const event = { mchNo: 'MCH1', outcome: 'CLOSED', demo: { mchPrivateKey: SECRET } }

describe('the log', () => {
  it.each([
    ['auto', 'sandbox', true, true],
    ['auto', 'sandbox', false, false],
    ['auto', 'production', true, false],
    ['json', 'sandbox', true, false],
    ['pretty', 'production', false, true],
  ] as const)(
    'in format %s, mode %s, on a terminal: %s; is for people: %s',
    (logFormat, mode, isTerminal, expected) => {
      expect(isReadByPeople({ logFormat, mode }, isTerminal)).toBe(expected)
    },
  )

  it('is a line of JSON for each event, without secrets', () => {
    const lines: string[] = []
    openLog('info', { write: (line) => void lines.push(line) }).warn(event, 'request')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 40, mchNo: 'MCH1', msg: 'request', pid: process.pid })
    expect(lines[0]).not.toContain(SECRET)
  })

  it('for people is one line with the time, the level and all fields, without secrets', async () => {
    const destination = new PassThrough({ encoding: 'utf8' })
    openLog('info', await readable({ destination, colorize: false })).warn(event, 'request')
    await soon()
    const text = destination.read() as string
    expect(text).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: request \{.*"mchNo":"MCH1","outcome":"CLOSED".*\}\n$/)
    expect(text).not.toContain(SECRET)
  })
})
