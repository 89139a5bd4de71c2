/** The table of bench/README.md and of its twin, made of the lines of a run. Pure. */
import { type Text, TITLES } from '../work/names.ts'
import { busyNote, type Line } from './line.ts'
import { aboutRun, BUSY_MARK, figure, head, type RunOf, row } from './markdown.ts'
import { boundsOf, isWithin, LIMITS, same, type Verdict, verdictsOf } from './targets.ts'

export type Report = { run: RunOf; lines: Line[]; peers: PeerLine[]; notes: string[] }

/** `subject`: what was measured; `unlike`: what of it cannot be compared. */
export type PeerLine = Line & { subject: string; unlike: Text }
type Language = keyof Text

const HEADS: Record<Language, string[]> = {
  en: [
    ...['work', 'merchants', 'processes', 'a second', 'p50 / p99 ms', 'gateway CPU', 'database CPU', 'statements'],
    ...['transactions', 'bytes / WAL', 'of the ceiling', 'event loop p99 ms'],
  ],
  zh: [
    ...['工作', '商户', '进程', '每秒', 'p50 / p99 毫秒', '网关 CPU', '数据库 CPU', '语句'],
    ...['事务', '字节 / WAL', '占上限', '事件循环 p99 毫秒'],
  ],
}

const PEER_HEADS: Record<Language, string[]> = {
  en: [
    'system',
    'work',
    'a second',
    'p50 / p99 ms',
    'CPU',
    'database CPU',
    'statements',
    'transactions',
    'not comparable',
  ],
  zh: ['系统', '工作', '每秒', 'p50 / p99 毫秒', 'CPU', '数据库 CPU', '语句', '事务', '不可比之处'],
}

const times = ({ p50, p99 }: Line): string => (p50 === null || p99 === null ? '—' : `${figure(p50)} / ${figure(p99)}`)

/** A figure that has a target says it; one that misses it is bold. */
function bounded(line: Line, of: 'gateway' | 'database' | 'statements' | 'transactions'): string {
  const bound = boundsOf(line).find((one) => one.of === of)
  if (bound === undefined) return figure(line[of])
  const text = `${figure(line[of])} (≤ ${bound.most})`
  return isWithin(line, bound) ? text : `**${text}**`
}

function cellsOf(line: Line, language: Language, node: string): string[] {
  const title = TITLES[line.work][language] + (line.node === node ? '' : ` (Node ${line.node})`)
  const busy = busyNote(line) === null ? '' : ' †'
  return [
    title + busy,
    ...[String(line.merchants), String(line.processes), figure(line.perSecond), times(line)],
    ...(['gateway', 'database', 'statements', 'transactions'] as const).map((of) => bounded(line, of)),
    `${line.bytes.toFixed(0)} / ${line.walBytes.toFixed(0)}`,
    `${(100 * line.ceiling).toFixed(0)} %`,
    line.delayMs.toFixed(0),
  ]
}

const peerCells = (line: PeerLine, language: Language): string[] => [
  line.subject,
  TITLES[line.work][language] + (busyNote(line) === null ? '' : ' †'),
  ...[figure(line.perSecond), times(line), figure(line.gateway), figure(line.database)],
  ...[figure(line.statements), figure(line.transactions), line.unlike[language]],
]

const BOUNDS: Text = { en: 'Targets in brackets; bold: missed.', zh: '括号里是目标；加粗：未达到。' }

const VERDICT_HEADS: Record<Language, string[]> = { en: ['target', 'found', 'met'], zh: ['目标', '测得', '达到'] }
const MET: Record<Language, [string, string]> = { en: ['yes', '**no**'], zh: ['是', '**否**'] }

/** Everything between the marks of one page. */
export function reportText({ run, lines, peers, notes }: Report, language: Language): string {
  const all = [...lines, ...peers]
  const verdicts = [...verdictsOf(lines.filter(({ node }) => node === run.node)), ...peerVerdicts(peers)]
  const parts = [
    `${aboutRun(run, all)[language]} ${BOUNDS[language]}`,
    [...head(HEADS[language]), ...lines.map((line) => row(cellsOf(line, language, run.node)))].join('\n'),
    ...(all.some((line) => busyNote(line) !== null) ? [BUSY_MARK[language]] : []),
    ...(peers.length > 0
      ? [[...head(PEER_HEADS[language]), ...peers.map((line) => row(peerCells(line, language)))].join('\n')]
      : []),
    ...(verdicts.length > 0 ? [verdictText(verdicts, language)] : []),
    ...notes,
  ]
  return parts.join('\n\n')
}

/** Also what `npm run bench:soak` says. */
export function verdictText(verdicts: Verdict[], language: Language): string {
  const [yes, no] = MET[language]
  const rows = verdicts.map(({ target, found, isMet }) => row([target[language], found[language], isMet ? yes : no]))
  return [...head(VERDICT_HEADS[language]), ...rows].join('\n')
}

/** The gateway's close beside each peer's: only the first has the same signatures and the same durability. */
export function peerVerdicts(peers: PeerLine[]): Verdict[] {
  const closes = peers.filter(({ work }) => work === 'close')
  const [own, plain] = [closes[0], closes[1]]
  if (own === undefined || plain === undefined) return []
  const found = own.perSecond / plain.perSecond
  return [
    {
      target: {
        en: `closes/s ≥ ${LIMITS.peer} × those of ${plain.subject}`,
        zh: `每秒关单 ≥ ${plain.subject} 的 ${LIMITS.peer} 倍`,
      },
      found: same(`× ${found.toFixed(1)} (${figure(own.perSecond)} : ${figure(plain.perSecond)})`),
      isMet: found >= LIMITS.peer,
    },
  ]
}

/** `page` with `text` between the marks of `name`. Throws where they are missing. */
export function withMarked(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- code: ${name} -->`, '<!-- /code -->']
  const from = page.indexOf(begin)
  const until = page.indexOf(end, from)
  if (from < 0 || until < 0) throw new Error(`${begin} … ${end} are not in the page`)
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(until)}`
}

type Soak = Omit<RunOf, 'orders'> & Record<'minutes' | 'connections' | 'processes' | 'perSecond', number>

export function soakText(soak: Soak, verdicts: Verdict[], language: Language): string {
  const { date, commit, cores, node, postgres, minutes, connections, processes } = soak
  const rate = soak.perSecond.toFixed(0)
  const about: Text = {
    en: `${date}, commit ${commit}, ${cores} cores, Node ${node}, PostgreSQL ${postgres} and the load on the same cores: ${minutes} minutes, ${rate} requests/s, ${connections} connections, processes: ${processes}.`,
    zh: `${date}，提交 ${commit}，${cores} 个核，Node ${node}，PostgreSQL ${postgres} 与负载在同样的核上：${minutes} 分钟，每秒 ${rate} 个请求，${connections} 个连接，进程：${processes}。`,
  }
  return `${about[language]}\n\n${verdictText(verdicts, language)}`
}
