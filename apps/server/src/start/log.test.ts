import { PassThrough } from 'node:stream'
import { setImmediate as soon } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'
import { isReadByPeople, openLog, readable } from './log.ts'

const config = readConfig({}, '/nowhere')
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
    openLog(config, { write: (line) => void lines.push(line) }).log.warn(event, 'request')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 40, mchNo: 'MCH1', msg: 'request', pid: process.pid })
    expect(lines[0]).not.toContain(SECRET)
  })

  it('for people is one line with the time, the level and all fields, without secrets', async () => {
    const destination = new PassThrough({ encoding: 'utf8' })
    openLog(config, await readable({ destination, colorize: false })).log.warn(event, 'request')
    await soon()
    const text = destination.read() as string
    expect(text).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: request \{.*"mchNo":"MCH1","outcome":"CLOSED".*\}\n$/)
    expect(text).not.toContain(SECRET)
  })
})

it('a line that is worth an alert is counted by its text, and logged; other lines are only logged', async () => {
  const lines: Record<string, unknown>[] = []
  const { log, metrics } = openLog(config, { write: (line) => void lines.push(JSON.parse(line)) })
  log.error({ alarm: true, mchNo: 'MCH1' }, 'job overdue')
  log.error({ alarm: true, mchNo: 'MCH2' }, 'job overdue')
  log.error({ alarm: false, mchNo: 'MCH1' }, 'job failed')
  log.info('said')
  expect(lines.map(({ msg, alarm, mchNo }) => [msg, alarm, mchNo])).toEqual([
    ['job overdue', true, 'MCH1'],
    ['job overdue', true, 'MCH2'],
    ['job failed', false, 'MCH1'],
    ['said', undefined, undefined],
  ])
  const text = await metrics.registry.metrics()
  expect(text).toContain('acopay_alarms_total{message="job overdue"} 2')
  expect(text).not.toContain('job failed')
})
