import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { readConfig } from './config.ts'
import { openLog } from './log.ts'

it('a line that is worth an alert is counted by its text, and logged; other lines are only logged', async () => {
  const lines: Record<string, unknown>[] = []
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })
  const { log, metrics } = openLog(readConfig({}, '/nowhere'), output)
  log.error({ alarm: true, mchNo: 'MCH1' }, 'job overdue')
  log.error({ alarm: true, mchNo: 'MCH2' }, 'job overdue')
  log.error({ mchNo: 'MCH1' }, 'job failed')
  log.info('said')
  expect(lines.map(({ msg, alarm, mchNo }) => [msg, alarm, mchNo])).toEqual([
    ['job overdue', true, 'MCH1'],
    ['job overdue', true, 'MCH2'],
    ['job failed', undefined, 'MCH1'],
    ['said', undefined, undefined],
  ])
  const text = await metrics.registry.metrics()
  expect(text).toContain('acopay_alarms_total{message="job overdue"} 2')
  expect(text).not.toContain('job failed')
})
