import { expect, it } from 'vitest'
import { isGuessable } from './guessable.ts'

it.each([
  ['123456789012', true],
  ['aaaaaaaaaaaa', true],
  ['password1234', true],
  ['P@ssw0rd1234', true],
  ['qwertyuiop12', true],
  ['iloveyou1234', true],
  ['admin1234567', true],
  ['1q2w3e4r5t6y', true],
  ['abcd1234abcd', true],
  ['Welcome2026!', true],
  ['mei.lin-2026', true],
  ['a'.repeat(200), true],
  ['correct horse battery', false],
  ['kx8#mvq2plw9', false],
  ['蓝色的灯在窗边等着下雨', false],
])('%s: guessable is %s', async (password, isEasy) => {
  expect(await isGuessable(password, 'mei.lin')).toBe(isEasy)
})
