import { expect, it } from 'vitest'
import { movedText } from './moved.ts'

it('the band of a sandbox says by how much its clock was moved, and nothing where it was not', () => {
  expect([0, 59].map(movedText)).toEqual(['', ''])
  expect(movedText(60)).toBe(' · 时钟已快进1分钟 clock moved ahead by 1 min')
  expect(movedText(86_400)).toBe(' · 时钟已快进1天 clock moved ahead by 1 d')
  expect(movedText(2 * 86_400 + 3 * 3600 + 4 * 60 + 5)).toBe(
    ' · 时钟已快进2天3小时4分钟 clock moved ahead by 2 d 3 h 4 min',
  )
})
