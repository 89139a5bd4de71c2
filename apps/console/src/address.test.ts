import { describe, expect, it } from 'vitest'
import { asked, asTexts, chosen, pageBack, pageForth, readSearch, search } from './address.ts'

describe('the query of an address', () => {
  it('names what was given, percent-encoded, and leaves out what is empty', () => {
    expect(search({})).toBe('')
    expect(search({ a: '', b: null, c: undefined })).toBe('')
    expect(search({ mch_no: 'MCH1', limit: 0, after: undefined })).toBe('?mch_no=MCH1&limit=0')
    expect(search({ number: 'a b&c=d+e', 商户: '中' })).toBe('?number=a+b%26c%3Dd%2Be&%E5%95%86%E6%88%B7=%E4%B8%AD')
  })

  it('is read back as texts, also a number with more digits than a float holds', () => {
    expect(readSearch('?number=12345678901234567890&state=true&x=')).toEqual({
      number: '12345678901234567890',
      state: 'true',
      x: '',
    })
    expect(readSearch('')).toEqual({})
    expect(readSearch('?a=a+b%26c')).toEqual({ a: 'a b&c' })
    expect(asTexts({ a: 1, b: true, c: 'x' })).toEqual({ a: '1', b: 'true', c: 'x' })
  })

  it('survives there and back', () => {
    const values = { number: '00012', description: '茶 + "蛋糕" & more', after: 'a,b' }
    expect(readSearch(search(values))).toEqual(values)
  })
})

describe('filters', () => {
  it('that are empty are not in the address', () => {
    expect(chosen({ state: '', mch_no: 'M', number: '0' })).toEqual({ mch_no: 'M', number: '0' })
  })

  it('ask for whole days of UTC+8: from the first day’s beginning to the last day’s end', () => {
    expect(asked({ from: '2026-03-01', until: '2026-03-01', state: 'PAID' })).toEqual({
      from: '2026-02-28T16:00:00.000Z',
      until: '2026-03-01T16:00:00.000Z',
      state: 'PAID',
    })
    expect(asked({ from: '2024-02-29', until: '2025-12-31' })).toEqual({
      from: '2024-02-28T16:00:00.000Z',
      until: '2025-12-31T16:00:00.000Z',
    })
    expect(asked({ from: '2026-01-01', until: '' })).toEqual({ from: '2025-12-31T16:00:00.000Z', until: '' })
    expect(asked({ until: '2026-01-01', from: '' })).toEqual({ until: '2026-01-01T16:00:00.000Z', from: '' })
    expect(asked({})).toEqual({})
  })
})

describe('the pages of a list', () => {
  const first = { values: { state: 'DEAD', mch_no: '' }, after: '', trail: [] }

  it('go forth with the place after which the next one begins, and remember the way', () => {
    const second = pageForth(first, 'p2')
    expect(second).toEqual({ search: { state: 'DEAD', after: 'p2' }, trail: [''] })
    expect(pageForth({ ...first, after: 'p2', trail: [''] }, 'p3')).toEqual({
      search: { state: 'DEAD', after: 'p3' },
      trail: ['', 'p2'],
    })
  })

  it('go back the way they came, to the first page at last', () => {
    expect(pageBack({ ...first, after: 'p3', trail: ['', 'p2'] })).toEqual({
      search: { state: 'DEAD', after: 'p2' },
      trail: [''],
    })
    expect(pageBack({ ...first, after: 'p4', trail: ['', 'p2', 'p3'] })).toEqual({
      search: { state: 'DEAD', after: 'p3' },
      trail: ['', 'p2'],
    })
    expect(pageBack({ ...first, after: 'p2', trail: [''] })).toEqual({ search: { state: 'DEAD' }, trail: [] })
  })

  it('go back to the first one for a user who came by a link', () => {
    expect(pageBack({ ...first, after: 'p7' })).toEqual({ search: { state: 'DEAD' }, trail: [] })
  })
})
