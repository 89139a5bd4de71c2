import { describe, expect, it } from 'vitest'
import { isHeard } from './notifications.ts'

describe("a merchant's answer to a notification", () => {
  it.each([
    ['{"status":"SUCCESS"}', true],
    ['\ufeff{"status":"SUCCESS"}', true],
    [' \n{"status":"SUCCESS","message":"ok"}\n', true],
    ['\ufeff\ufeff{"status":"SUCCESS"}', false],
    ['{"status":"FAIL"}', false],
    ['{"status":"success"}', false],
    ['["SUCCESS"]', false],
    ['"SUCCESS"', false],
    ['null', false],
    ['SUCCESS', false],
    ['', false],
  ])('%j: heard is %s', (body, expected) => {
    expect(isHeard(200, body)).toBe(expected)
    expect(isHeard(201, body)).toBe(false)
  })
})
