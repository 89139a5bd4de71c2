import type { AlarmNews } from '@acopay/store'
import { describe, expect, it } from 'vitest'
import { messageOf } from './compose.ts'

const AT = new Date('2026-03-01T04:00:00Z')
const PLACE = { consoleUrl: (page: string) => `c/${page}`, channelName: () => '值班群' }

const news = (more: Partial<AlarmNews> = {}): AlarmNews => ({
  ...{ kind: 'stuck', subject: 'closing', number: 1n, what: 'raised', found: 1, examples: [] },
  raisedAt: AT,
  at: AT,
  ...more,
})
const lines = (all: AlarmNews[]) => messageOf(all, PLACE).lines.map(({ mark, zh, en }) => [mark, zh, en])
const LAST = ['', '全部告警', 'all alarms']

describe('a message of alarms', () => {
  it('says what it is, of what, since when, and where its runbook is, in both languages', () => {
    expect(lines([news({ found: 3 })])).toEqual([
      [
        '🔴',
        '处理停滞：关单超过25分钟 × 3（03-01 12:00起）',
        'stuck: orders being closed for more than 25 minutes × 3 (since 03-01 12:00) — docs/runbooks/acopay-stuck.md',
      ],
      LAST,
    ])
  })

  it('names the alarm channel that fails', () => {
    expect(lines([news({ kind: 'alarm-channel-failing', subject: 'AC1' })])[0]).toEqual([
      '🔴',
      expect.stringContaining('：值班群（'),
      expect.stringContaining(': 值班群 ('),
    ])
  })

  it('of what is over says how long it lasted, and has no runbook', () => {
    const [, zh, en] = lines([news({ what: 'cleared', at: new Date(AT.getTime() + 5 * 60_000) })])[0] ?? []
    expect([zh, en]).toEqual([
      '处理停滞：关单超过25分钟（已恢复，持续5分钟）',
      'stuck: orders being closed for more than 25 minutes (over, it lasted 5 min)',
    ])
  })

  it('of ten shows all, and of twelve ten and how many more there are; what wakes a person is first', () => {
    const slow = news({ kind: 'slow-closes', subject: '' })
    const over = news({ what: 'cleared' })
    const ten = [over, slow, ...Array.from({ length: 8 }, () => news())]
    expect(lines(ten)).toHaveLength(11)
    expect(lines(ten).at(-1)).toEqual(LAST)
    const names = lines(ten).map(([, , en = '']) => en.slice(0, 5))
    expect([names[7], names[8]]).toEqual(['stuck', 'one c'])
    expect(lines(ten)[9]?.[0]).toBe('✅')
    expect(lines([...ten, over, over]).slice(10)).toEqual([['…', '还有2条', 'and 2 more'], LAST])
  })
})
