import { describe, expect, it } from 'vitest'
import { changesIn } from './audit-changes.ts'
import { labelKeyOf } from './labels.ts'
import { EN } from './texts.en.ts'
import { ZH } from './texts.zh.ts'

const wordsOf = (texts: Record<string, string>) => ({
  labelOf: (field: string) => texts[labelKeyOf(field)] ?? null,
  word: (code: string) => texts[`w_${code}`] ?? code,
  on: texts.yes ?? '',
  off: texts.no ?? '',
  notSet: texts.notSet ?? '',
})
const inEnglish = (changes: Parameters<typeof changesIn>[0]) =>
  changesIn(changes, wordsOf(EN)).map(({ what, before, after }) => `${what}: ${before} → ${after}`)

describe('what a call changed', () => {
  it('is told by the names of the fields, with what each was before and after', () => {
    expect(
      inEnglish({
        allowed_ips: { before: [], after: ['10.0.0.0/8', '10.1.0.1'] },
        rate_per_second: { before: null, after: 20 },
        enabled: { before: true, after: false },
        'MCH1/AP1': { before: 'NOTPAY', after: 'CLOSED' },
      }),
    ).toEqual([
      'May call from: not set → 10.0.0.0/8, 10.1.0.1',
      'Requests a second: not set → 20',
      'In use: yes → no',
      'MCH1/AP1: Not paid → Closed',
    ])
  })

  it('of an app tells only of what differs, and in the language of the page', () => {
    const app = { name: 'shop', isEnabled: true, channels: null, returnUrl: null, isToldOfSentBack: false }
    const changes = {
      'app APP1': { before: app, after: { ...app, returnUrl: 'https://shop.example.com/', isToldOfSentBack: true } },
    }
    expect(inEnglish(changes)).toEqual([
      'App APP1 · Return address: not set → https://shop.example.com/',
      'App APP1 · Told of money sent back: no → yes',
    ])
    expect(changesIn(changes, wordsOf(ZH))[1]).toEqual({
      what: '应用号 APP1 · 退回款项通知',
      before: '否',
      after: '是',
    })
  })

  it('of something new has nothing before, and of something that ended nothing after', () => {
    const key = { validFrom: '2026-03-01T04:00:00.000Z', validUntil: null }
    expect(inEnglish({ 'key k1': { before: null, after: key } })).toEqual([
      'key k1 · Valid from: not set → 2026-03-01T04:00:00.000Z',
    ])
  })
})
