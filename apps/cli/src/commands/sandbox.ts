/** `acopay sandbox time [TO]`: what time it is in the sandbox, and moving its clock on. */
import { ConnectionError } from '@acopay/sdk'
import { type Command, EXIT, table, textFlag, UsageError } from '../command.ts'
import { readSettings, SETTINGS_OPTIONS } from '../settings.ts'

type Time = { time: string; ahead_s: number }

export const timeCommand: Command = {
  usage: '[+1d | +2h30m | tomorrow | 2026-12-01T09:00]',
  zh: '沙箱现在几点；或把它的时钟快进，途中到期的事照常发生',
  en: 'what time it is in the sandbox; or moves its clock on, and what is due on the way happens',
  options: SETTINGS_OPTIONS,
  positional: 'to',
  async run(flags, io) {
    const { baseUrl } = readSettings(flags, io, ['baseUrl'])
    const { time, ahead_s } = await ask(new URL('/sandbox/time', baseUrl), textFlag(flags, 'to'))
    const lines = table([
      ['沙箱时间 time in the sandbox', time],
      ['快进 moved ahead', `${ahead_s} s`],
    ])
    return { exit: EXIT.done, json: { time, aheadSeconds: ahead_s }, lines }
  },
}

async function ask(url: URL, to: string | undefined): Promise<Time> {
  const init = to === undefined ? {} : { method: 'POST', body: JSON.stringify({ to }) }
  const response = await fetch(url, init).catch((error: unknown) => {
    throw new ConnectionError(`${url.origin}: ${error instanceof Error ? error.message : 'no answer'}`)
  })
  const answer = (await response.json().catch(() => null)) as (Time & { error?: string }) | null
  if (response.ok && typeof answer?.time === 'string') return answer
  if (response.status === 404) {
    throw new UsageError(
      `${url.origin} 不是沙箱，或版本太旧，没有可快进的时钟 (is no sandbox, or too old: its clock cannot be moved)`,
    )
  }
  throw new UsageError(answer?.error ?? `HTTP ${response.status}`)
}
