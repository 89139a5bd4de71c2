/** One message from many news, for every kind of channel: Chinese first, English beside it. */
import { CHINA_MS } from '@acopay/core'
import type { AlarmExample, AlarmNews, AlarmWord } from '@acopay/store'
import type { Line, Link, Message } from '../../outbound/alarm-forms.ts'
import { kindOf, runbookOf, subjectOf } from './kinds.ts'

/** Of one message. The rest is counted; the console lists it. */
const LINES_MAX = 10

const MARKS: Record<AlarmWord, string> = { raised: '🔴', again: '🔁', more: '📈', cleared: '✅' }

export type Place = {
  /** The address of a page of the console. */
  consoleUrl: (page: string) => string
  /** The name of an alarm channel by its id. */
  channelName: (channelId: string) => string
}

export function messageOf(news: readonly AlarmNews[], place: Place): Message {
  const begun = news.filter(({ what }) => what !== 'cleared').length
  const ended = news.length - begun
  const counts = [
    ...(begun > 0 ? [`${begun}条告警 ${begun} ${begun === 1 ? 'alarm' : 'alarms'}`] : []),
    ...(ended > 0 ? [`${ended}条恢复 ${ended} over`] : []),
  ]
  // What wakes a person comes first.
  const sorted = news.toSorted((a, b) => rank(a) - rank(b))
  const lines = sorted.slice(0, LINES_MAX).map((one) => lineOf(one, place))
  const left = news.length - lines.length
  if (left > 0) lines.push({ mark: '…', zh: `还有${left}条`, en: `and ${left} more`, links: [] })
  lines.push({
    mark: '',
    zh: '全部告警',
    en: 'all alarms',
    links: [{ text: '管理台 console', url: place.consoleUrl('alarms') }],
  })
  return { title: `翼辉支付 ACO Pay：${counts.join('，')}`, lines, news: sorted.map(forPrograms) }
}

const rank = ({ what, kind }: AlarmNews): number => {
  if (what === 'cleared') return 2
  return kindOf(kind).severity === 'page' ? 0 : 1
}

const forPrograms = ({ what, kind, subject, raisedAt, found }: AlarmNews): Message['news'][number] => ({
  what,
  kind,
  subject,
  severity: kindOf(kind).severity,
  raised_at: raisedAt.toISOString(),
  found,
})

function lineOf(news: AlarmNews, place: Place): Line {
  const { kind, what, subject, found } = news
  const named = kindOf(kind)
  const about = kind === 'alarm-channel-failing' ? both(place.channelName(subject)) : subjectOf(kind, subject)
  const count = found > 1 && what !== 'cleared' ? ` × ${found}` : ''
  const zh = [named.zh, about.zh].filter((part) => part !== '').join('：') + count
  const en = [named.en, about.en].filter((part) => part !== '').join(': ') + count
  const [sinceZh, sinceEn] = sinceOf(news)
  const links = what === 'cleared' ? [] : linksOf(news, place)
  const runbook = what === 'cleared' ? '' : ` — ${runbookOf(kind)}`
  return { mark: MARKS[what], zh: `${zh}（${sinceZh}）`, en: `${en} (${sinceEn})${runbook}`, links }
}

const both = (text: string) => ({ zh: text, en: text })

function sinceOf({ what, kind, at, raisedAt }: AlarmNews): [zh: string, en: string] {
  const since = chinaTime(raisedAt)
  const lasted = durationOf(at.getTime() - raisedAt.getTime())
  if (what === 'raised') return [`${since}起`, `since ${since}`]
  if (what !== 'cleared') return [`${since}起，已持续${lasted.zh}`, `since ${since}, for ${lasted.en}`]
  if (kind === 'alarm') return ['一小时内未再出现', 'not logged again for an hour']
  return [`已恢复，持续${lasted.zh}`, `over, it lasted ${lasted.en}`]
}

/** `03-01 12:00`, in UTC+8. */
const chinaTime = (at: Date): string => new Date(at.getTime() + CHINA_MS).toISOString().slice(5, 16).replace('T', ' ')

function durationOf(ms: number): { zh: string; en: string } {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1) return { zh: '不到1分钟', en: 'less than a minute' }
  if (minutes < 120) return { zh: `${minutes}分钟`, en: `${minutes} min` }
  const hours = Math.round(minutes / 60)
  return { zh: `${hours}小时`, en: `${hours} h` }
}

function linksOf({ kind, examples }: AlarmNews, { consoleUrl }: Place): Link[] {
  const some = examples.flatMap((one) => exampleLink(one, consoleUrl))
  return [...some, { text: '查看 look', url: consoleUrl(kindOf(kind).page) }]
}

function exampleLink({ mchNo, number }: AlarmExample, consoleUrl: Place['consoleUrl']): Link[] {
  if (/^AP\d+$/.test(number)) return [{ text: number, url: consoleUrl(`orders/${mchNo}/${number}`) }]
  if (/^A[RT]\d+$/.test(number)) return [{ text: number, url: consoleUrl(`orders?number=${number}`) }]
  if (/^[\w-]{1,32}$/.test(mchNo)) return [{ text: mchNo, url: consoleUrl(`merchants/${mchNo}`) }]
  return []
}
