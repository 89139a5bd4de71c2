/** Open and past alarms. */
import type { AlarmList, AlarmRow } from '@acopay/protocol/console'
import { type Alarm, type AlarmPlace, alarmChannels, listAlarms } from '@acopay/store/read'
import { kindOf, runbookOf, subjectOf } from '../../../actions/alarm/kinds.ts'
import { nameIn } from '../../../actions/alarm/tell.ts'
import type { World } from '../../../world.ts'
import type { ConsoleCall, ConsoleEndpoint, Failed } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { PLACE_MAX, pageOf, placeParts, placeText } from '../places.ts'

const rowOf = (alarm: Alarm, channelName: (channelId: string) => string): AlarmRow => {
  const { kind, subject } = alarm
  const { severity, zh, en, page } = kindOf(kind)
  const name = channelName(subject)
  const about = kind === 'alarm-channel-failing' ? { zh: name, en: name } : subjectOf(kind, subject)
  return {
    kind,
    subject,
    severity,
    text: { zh, en },
    about,
    found: alarm.found,
    examples: alarm.examples.map(({ mchNo, number }) => ({ mch_no: mchNo, number })),
    page,
    runbook: runbookOf(kind),
    raised_at: alarm.raisedAt.toISOString(),
    seen_at: alarm.seenAt.toISOString(),
    told_at: alarm.toldAt?.toISOString() ?? null,
    cleared_at: alarm.clearedAt?.toISOString() ?? null,
  }
}

function placeOf(text: string): AlarmPlace | null {
  const [open = '', raised = '', kind, subject] = placeParts(text, 4) ?? []
  const raisedAt = fieldsOf({ raised }).time('raised')
  if (raisedAt === null || kind === undefined || subject === undefined || !/^[01]$/.test(open)) return null
  return { isOpen: open === '1', raisedAt, kind, subject }
}

async function list(world: World, { query }: ConsoleCall): Promise<AlarmList | Failed> {
  const read = fieldsOf(query)
  const asked = read.text('after', PLACE_MAX)
  const after = asked === null ? null : placeOf(asked)
  if (asked !== null && after === null) read.say('after', '应为上一页的 next', 'should be the next of the page before')
  const limit = read.limit()
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const found = await listAlarms(world.pool, after, limit + 1)
  const { rows, next } = pageOf(found, limit, (one) =>
    placeText([one.clearedAt === null ? '1' : '0', one.raisedAt.toISOString(), one.kind, one.subject]),
  )
  const channelName = nameIn(await alarmChannels(world.pool))
  return { rows: rows.map((one) => rowOf(one, channelName)), next }
}

export const alarmEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'alarms', permission: 'alarms.read', handle: list },
]
