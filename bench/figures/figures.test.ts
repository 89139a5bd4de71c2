import { expect, it } from 'vitest'
import { numberOf, readOptions } from '../options.ts'
import { delayIn } from '../stack/gateways.ts'
import { DAY, mixedShares, mixOf, type Step, stepsOf } from '../work/mix.ts'
import { countOf } from '../work/names.ts'
import { flatness, flatText } from './flat.ts'
import { busyNote, type Counted, type Line, lineOf } from './line.ts'
import { type Minute, minuteOf, riseOf, soakVerdicts } from './minutes.ts'
import { plot, roundUp } from './plot.ts'
import { type PeerLine, peerVerdicts, reportText, withMarked } from './table.ts'
import { boundsOf, isWithin, verdictsOf } from './targets.ts'

const RUN = { date: '2026-11-27', commit: 'abc', cores: 2, node: '20.20.2', postgres: '15.18', orders: 100 }

const COUNTED: Counted = {
  ...{ count: 100, seconds: 2, millis: Array.from({ length: 100 }, (_, index) => index + 1), bytes: 150_000 },
  ...{ gatewayUs: 60_000, databaseUs: 20_000, outsideUs: 0, ownUs: 20_000, machineUs: 110_000 },
  ...{ statements: 150, transactions: 120, walBytes: 400_000, delayMs: 12 },
}
const BLOCK = { work: 'close', merchants: 1, processes: 1, node: '20.20.2' } as const
const SIGNATURES = { beforeUs: 390, afterUs: 410, perSecond: 5000 }

const line = (more: Partial<Line> = {}): Line => ({ ...lineOf(BLOCK, COUNTED, SIGNATURES), ...more })

it('a line says what one of them takes, in signatures of the same run, and how near it comes to the ceiling', () => {
  const { perSecond, p50, p99, gateway, database, statements, bytes, walBytes, ceiling } = line()
  expect([perSecond, p50, p99]).toEqual([50, 50, 99])
  expect([gateway, database, statements, bytes, walBytes]).toEqual([1.5, 0.5, 1.5, 1500, 4000])
  expect(ceiling).toBeCloseTo(0.01)
})

it('where no caller waits for an answer there is no latency', () => {
  expect(lineOf(BLOCK, { ...COUNTED, millis: [] }, SIGNATURES)).toMatchObject({ p50: null, p99: null })
})

it('a machine is busy when two signatures differ by more than 15 %, or when others take more than 15 % of the cores', () => {
  expect(busyNote(line())).toBeNull()
  const drifted = lineOf(BLOCK, COUNTED, { ...SIGNATURES, beforeUs: 400, afterUs: 461 })
  expect(busyNote(drifted)).toBe('busy machine: a signature before and after differ by 15 %')
  expect(busyNote(lineOf(BLOCK, COUNTED, { ...SIGNATURES, beforeUs: 400, afterUs: 459 }))).toBeNull()
  const shared = lineOf(BLOCK, { ...COUNTED, machineUs: 200_000 }, SIGNATURES)
  expect(busyNote(shared)).toBe('busy machine: other processes took 50 % of what the cores did')
})

it('targets stand beside the lines that they are of, and a figure that misses one is bold', () => {
  expect(boundsOf(line({ merchants: 1000 }))).toEqual([
    { of: 'gateway', most: 1.6 },
    { of: 'database', most: 0.7 },
  ])
  expect(boundsOf(line({ processes: 3 }))).toEqual([])
  expect(isWithin(line({ gateway: 1.5 }), { of: 'gateway', most: 1.5 })).toBe(true)
  const text = reportText({ run: RUN, lines: [line({ gateway: 1.5, database: 0.61 })], peers: [], notes: [] }, 'en')
  expect(text).toContain('| 1.50 (≤ 1.5) | **0.61 (≤ 0.6)** |')
})

it('many merchants are held against one, three processes against one, and sweeping against 2000 a second', () => {
  const met = (lines: Line[]): Record<string, boolean> =>
    Object.fromEntries(
      verdictsOf(lines).map(({ target, isMet }) => [target.en.split(' ').slice(0, 4).join(' '), isMet]),
    )
  const one = line({ perSecond: 1000, ceiling: 0.46, gateway: 1.5 })
  const many = line({ merchants: 1000, perSecond: 901, gateway: 1.5 })
  expect(met([one, many, line({ processes: 3, gateway: 1.7 })])).toEqual({
    'closes/s with 1000 merchants': true,
    'closes/s ≥ 45 %': true,
    'gateway CPU of a': true,
    'event-loop delay p99 <': true,
  })
  expect(met([{ ...one, ceiling: 0.44 }, { ...many, perSecond: 899 }, line({ processes: 3, gateway: 1.8 })])).toEqual({
    'closes/s with 1000 merchants': false,
    'closes/s ≥ 45 %': false,
    'gateway CPU of a': false,
    'event-loop delay p99 <': true,
  })
  const swept = (processes: number, perSecond: number): Line =>
    line({ work: 'sweep', processes, perSecond, delayMs: 25 })
  expect(verdictsOf([swept(1, 2100), swept(2, 2200), swept(3, 2000)]).map(({ isMet }) => isMet)).toEqual([
    ...[true, true, false],
    false,
  ])
  expect(verdictsOf([])).toEqual([])
})

it('the close of the gateway is held against the plain service alone', () => {
  const peer = (subject: string, perSecond: number): PeerLine => ({
    ...line({ perSecond }),
    subject,
    unlike: { en: 'other', zh: '不同' },
  })
  const [verdict] = peerVerdicts([peer('ACO Pay', 900), peer('Express', 301), peer('Vendure', 1)])
  expect(verdict).toMatchObject({ found: { en: '× 3.0 (900 : 301)' }, isMet: false })
  expect(peerVerdicts([peer('ACO Pay', 900)])).toEqual([])
  const report = { run: RUN, lines: [], peers: [peer('Express', 301)], notes: ['vendure is left out'] }
  expect(reportText(report, 'zh')).toContain('| 不同 |')
  expect(reportText(report, 'en')).toMatch(/vendure is left out$/)
})

it('both pages get tables of the same shape', () => {
  const report = { run: RUN, lines: [line(), line({ work: 'mixed', delayMs: 30, others: 0.5 })], peers: [], notes: [] }
  const shape = (text: string): string[] =>
    text.split('\n').map((one) => (one.startsWith('|') ? '|' : one.slice(0, 1) && 'text'))
  expect(shape(reportText(report, 'zh'))).toEqual(shape(reportText(report, 'en')))
})

it('a page keeps what is outside the marks, and one without marks is refused', () => {
  const page = 'a\n<!-- code: bench -->\nold\n<!-- /code -->\nb\n<!-- code: bench:flat -->\n<!-- /code -->\n'
  expect(withMarked(page, 'bench', 'new')).toBe(
    'a\n<!-- code: bench -->\n\nnew\n\n<!-- /code -->\nb\n<!-- code: bench:flat -->\n<!-- /code -->\n',
  )
  expect(withMarked(page, 'bench:flat', 'flat')).toContain('old')
  expect(() => withMarked('nothing', 'bench', 'x')).toThrow('not in the page')
})

it('options: lists, a quick run, and a wrong value is named', () => {
  expect(readOptions(['--only', 'close,query', '--merchants', '1,1000', '--no-peers'])).toMatchObject({
    ...{ only: ['close', 'query'], merchants: [1, 1000], processes: [1, 2, 3], hasPeers: false, isWritten: true },
  })
  expect(readOptions(['--quick'])).toMatchObject({ processes: [1], isQuick: true, isWritten: false, hasPeers: true })
  expect(readOptions(['--no-write'])).toMatchObject({ isWritten: false, orders: 2000 })
  expect(() => readOptions(['--only', 'closes'])).toThrow('--only: there is no closes')
  expect(() => readOptions(['--node', 'lts'])).toThrow('--node: lts is not a version')
  expect(() => readOptions(['--processes', ','])).toThrow('--processes: nothing is asked for')
  expect(() => numberOf('orders', '1.5', [1, 10])).toThrow('--orders: 1.5 is not a whole number from 1 to 10')
  expect(countOf('attended', 4000)).toBe(1000)
  expect(countOf('attended', 20)).toBe(10)
})

it('a mixed day has the shares of the day, at least one of each, spread evenly and in their own order', () => {
  expect(mixedShares(423)).toEqual(DAY)
  expect(mixedShares(10).refund).toBe(1)
  const mixed = mixOf([
    ['a1', 'a2', 'a3', 'a4'],
    ['b1', 'b2'],
  ])
  expect(mixed).toEqual(['a1', 'b1', 'a2', 'a3', 'b2', 'a4'])
})

it('a hundred stories are a day', () => {
  const steps = Array.from({ length: 100 }, (_, order) => stepsOf(order)).flat()
  const count = (step: Step): number => steps.filter((one) => one === step).length
  expect(Object.fromEntries(Object.keys(DAY).map((step) => [step, count(step as Step)]))).toEqual(DAY)
  expect(stepsOf(101)).toEqual(stepsOf(1))
})

it('work is flat when its sizes differ by no more than 15 %', () => {
  const sized = (size: number, perSecond: number) => ({ ...line({ perSecond }), size })
  expect(flatness([sized(1, 100), sized(2, 115), sized(3, 110)], 'close')).toMatchObject({ isFlat: true, lowest: 100 })
  expect(flatness([sized(1, 116), sized(2, 100)], 'close')?.isFlat).toBe(false)
  expect(flatness([sized(1, 116)], 'close')).toBeNull()
  expect(flatText(RUN, [sized(10, 100), sized(20, 50)], 'en')).toContain('| 20 | 50.0 | × 0.50 |')
})

it('a soak is judged by its largest minute, and memory that rises by more than 5 % is found', () => {
  const minute = (at: number, rssMb: number, more: Partial<Minute> = {}): Minute => ({
    ...minuteOf({ at, seconds: 60, millis: [1, 2, 3], failures: 0 }, { rssBytes: rssMb * 1024 * 1024, delayMs: 15 }),
    ...more,
  })
  expect(minute(1, 200)).toMatchObject({ perSecond: 0.05, p50: 2, rssMb: 200, delayMs: 15 })
  const flat = Array.from({ length: 10 }, (_, at) => minute(at, 200))
  expect(soakVerdicts(flat).every(({ isMet }) => isMet)).toBe(true)
  const rising = flat.map((one, at) => ({ ...one, rssMb: 200 + 5 * at }))
  expect(riseOf(rising)).toBeGreaterThan(0.05)
  expect(soakVerdicts(rising).map(({ isMet }) => isMet)).toEqual([true, false, true, true])
  expect(riseOf(flat.slice(0, 3))).toBeNull()
  const bad = [...flat, ...flat, minute(20, 251, { delayMs: 21, failures: 1 })]
  expect(soakVerdicts(bad).map(({ isMet }) => isMet)).toEqual([false, true, false, false])
})

it('a picture has a panel for each figure, with its bound, and texts that are escaped', () => {
  const points = [1, 2, 3].map((x) => ({ x, y: 100 * x }))
  const svg = plot('a < b', [
    { title: 'memory', points, bound: 250 },
    { title: 'p99', points: [], bound: null },
  ])
  expect(svg).toContain('a &lt; b')
  expect(svg.match(/<polyline/g)).toHaveLength(2)
  expect(svg.match(/stroke-dasharray/g)).toHaveLength(1)
  expect([0, 3, 250, 0.07].map(roundUp)).toEqual([1, 5, 500, 0.1])
})

it("the event loop's delay is the largest that any worker tells, in milliseconds", () => {
  const text = [
    '# HELP nodejs_eventloop_lag_p99_seconds x',
    'nodejs_eventloop_lag_p99_seconds 0.011',
    'nodejs_eventloop_lag_p99_seconds{worker="2"} 0.025',
    'nodejs_eventloop_lag_mean_seconds 9',
  ]
  expect(delayIn(text.join('\n'))).toBe(25)
  expect(delayIn('')).toBe(0)
})
