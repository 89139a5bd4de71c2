import { expect, it } from 'vitest'
import type { World } from '../world.ts'
import { callUpstream, remainingMs, within } from './call-upstream.ts'

it('a deadline passes by the time that really passes, and a clock that is moved by a day ends no call', async () => {
  let [steadyMs, nowMs] = [1000, 0]
  const world = {
    now: () => new Date(nowMs),
    steadyMs: () => steadyMs,
    sleep: () => new Promise<void>(() => {}),
    limits: { channelCallMs: 2000 },
  } as unknown as World
  const deadline = within(world, 6000)
  nowMs += 86_400_000
  expect(remainingMs(world, deadline)).toBe(6000)
  const answer = callUpstream(world, deadline, async () => {
    nowMs += 86_400_000
    return { kind: 'closed' }
  })
  expect(await answer).toEqual({ kind: 'closed' })
  steadyMs += 5999
  expect(remainingMs(world, deadline)).toBe(1)
  steadyMs += 2
  expect(await callUpstream(world, deadline, async () => ({ kind: 'closed' }))).toMatchObject({ kind: 'unknown' })
})
