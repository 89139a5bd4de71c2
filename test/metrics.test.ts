/** What Prometheus reads, over real HTTP: each figure moves when what it counts happens, and no label tells of a merchant. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { close, openAttempt, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const TOKEN = 'a-token-of-the-tests'

let gateway: TestWorld
beforeAll(async () => {
  gateway = await testWorld({ env: { ACOPAY_METRICS_TOKEN: TOKEN } })
})
afterAll(() => gateway.stop())

const ask = (url: string, token = TOKEN) =>
  fetch(`${url}/metrics`, token === '' ? {} : { headers: { authorization: `Bearer ${token}` } })

/** The lines of the text that are no comment, by what stands before the value. */
async function scraped(url = gateway.demo.baseUrl): Promise<Record<string, number>> {
  const lines = (await (await ask(url)).text()).split('\n').filter((line) => /^\w/.test(line))
  return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]))
}

it('the metrics are for who sends the token, and are not there without one', async () => {
  const { baseUrl } = gateway.demo
  expect((await ask(baseUrl)).status).toBe(200)
  for (const token of ['', 'wrong', `${TOKEN}x`]) {
    const answer = await ask(baseUrl, token)
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect(await answer.text()).toContain('ACOPAY_METRICS_TOKEN')
  }
  const without = await testWorld()
  expect((await ask(without.demo.baseUrl)).status).toBe(404)
  await without.stop()
})

it('a call is counted by its outcome, a close by its way, and the calls to an upstream by their answer', async () => {
  const { demo } = gateway
  const before = await scraped()
  const more = async (name: string, labels: string) => {
    const line = `acopay_${name}{${labels}}`
    return ((await scraped())[line] ?? 0) - (before[line] ?? 0)
  }
  const [cheap, attended] = [await place(demo), await place(demo)]
  await openAttempt(demo, attended)
  await close(demo, cheap)
  await close(demo, attended)
  await close({ ...demo, mchNo: 'MCH404' }, cheap)
  await fetch(`${demo.baseUrl}/pay/v1/transactions/close`, { method: 'POST', body: '{' })

  expect(await more('calls_total', 'call="close",outcome="SUCCESS",by="merchant"')).toBe(2)
  expect(await more('calls_total', 'call="close",outcome="MCH_NOT_EXIST",by="stranger"')).toBe(1)
  expect(await more('call_seconds_count', 'call="close"')).toBe(4)
  expect(await more('close_seconds_count', 'way="cheap"')).toBe(1)
  expect(await more('close_seconds_count', 'way="full"')).toBe(1)
  expect(await more('upstream_calls_total', 'channel="wechat",verb="open",outcome="opened"')).toBe(1)
  expect(await more('upstream_calls_total', 'channel="wechat",verb="close",outcome="accepted"')).toBe(1)
  expect(await more('batch_size_count', 'of="close"')).toBeGreaterThan(0)
})

it('a close that goes on is counted as processing, and an account that rests is seen', async () => {
  const { demo, upstreams } = gateway
  const orders = await Promise.all(Array.from({ length: 12 }, () => place(demo)))
  for (const order of orders) await openAttempt(demo, order)
  upstreams.faults('wechat').set([{ kind: 'error_before' }])
  for (const order of orders) await gateway.whileTimePasses(close(demo, order))
  upstreams.faults('wechat').set([])
  const lines = await scraped()
  expect(lines['acopay_close_seconds_count{way="processing"}']).toBe(12)
  expect(lines['acopay_upstream_rests_total{channel="wechat"}']).toBeGreaterThan(0)
  expect(lines['acopay_upstream_resting{channel="wechat"}']).toBe(1)
  gateway.advance(3_600_000)
  await gateway.runJobs()
  const later = await scraped()
  expect(later['acopay_jobs_total{kind="shut_attempts",outcome="done"}']).toBeGreaterThan(0)
  expect(later['acopay_upstream_resting{channel="wechat"}']).toBe(0)
})

it('what waits in the database is told: dead letters, stuck orders and the age of the oldest', async () => {
  const other = await testWorld({ env: { ACOPAY_METRICS_TOKEN: TOKEN } })
  const order = await place(other.demo, { time_expire: new Date(other.world.now().getTime() + 60_000).toISOString() })
  other.advance(60_000 + 700_000)
  const lines = await scraped(other.demo.baseUrl)
  expect(order).toMatch(/^AP/)
  expect(lines['acopay_stuck{what="expired"}']).toBe(1)
  expect(Math.round(lines.acopay_stuck_oldest_seconds ?? 0)).toBe(700)
  expect(lines['acopay_stuck{what="closing"}']).toBe(0)
  expect(lines['acopay_notifications{state="dead"}']).toBe(0)
  expect([lines.acopay_jobs_oldest_seconds, lines.acopay_notifications_oldest_seconds]).toEqual([0, 0])
  expect(lines.acopay_ready).toBe(1)
  expect(lines.acopay_pool_waiting).toBe(0)
  // However often it is asked, the database is read every five seconds.
  const expired = async () => (await scraped(other.demo.baseUrl))['acopay_stuck{what="expired"}']
  await other.database.pool.query("update orders set time_expire = time_expire + interval '1 day'")
  other.advance(4999)
  expect(await expired()).toBe(1)
  other.advance(1)
  expect(await expired()).toBe(0)
  await other.stop()
})

it('no label holds a number, a merchant or a text that a caller wrote', async () => {
  const { demo } = gateway
  const text = await (await ask(demo.baseUrl)).text()
  expect(text).not.toContain(demo.mchNo)
  expect(text).not.toMatch(/MCH404|\b(AP|AT|RF)2\d{9}/)
  const series = text.split('\n').filter((line) => line.startsWith('acopay_'))
  expect(series.length).toBeLessThan(500)
})

it('docs/metrics.md tells each name in both languages, and no other', async () => {
  const text = await (await ask(gateway.demo.baseUrl)).text()
  const told = new Set([...text.matchAll(/^# TYPE (acopay_\w+)/gm)].map(([, name]) => name))
  for (const page of ['docs/metrics.md', 'docs/metrics.zh-CN.md']) {
    const rows = [...readFileSync(page, 'utf8').matchAll(/^\| `(acopay_\w+)/gm)].map(([, name]) => name)
    expect(new Set(rows)).toEqual(told)
  }
})

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
if (!hasPromtool) console.log('跳过promtool SKIPPED promtool: apt-get install prometheus')

it.runIf(hasPromtool)('Prometheus reads the text, and every alert is about a name that is there', async () => {
  const text = await (await ask(gateway.demo.baseUrl)).text()
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  // The names of prom-client's own lines break a rule of style or two, which it prints and which is no error.
  expect(checked.stderr.split('\n').filter((line) => line.startsWith('acopay_'))).toEqual([])
  const tested = spawnSync('promtool', ['test', 'rules', 'monitoring/acopay.rules.test.yml'], { encoding: 'utf8' })
  expect([tested.status, tested.stdout + tested.stderr]).toEqual([0, expect.stringContaining('SUCCESS')])
  const rules = readFileSync('monitoring/acopay.rules.yml', 'utf8')
  const names = new Set([...rules.matchAll(/\b(?:acopay|nodejs)_\w+/g)].map(([name]) => name))
  expect([...names].filter((name) => !text.includes(`# TYPE ${name.replace(/_bucket$/, '')} `))).toEqual([])
})

type Panel = {
  id: number
  type: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { expr: string; datasource: { uid: string } }[]
}
const BOARD = 'monitoring/grafana/dashboards/acopay.json'
const board = JSON.parse(readFileSync(BOARD, 'utf8')) as { uid: string; schemaVersion: number; panels: Panel[] }
const expressions = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

it("Grafana's dashboard has places for its panels, one to a place, and each of our names is told", async () => {
  expect([board.uid, new Set(board.panels.map(({ id }) => id)).size]).toEqual(['acopay', board.panels.length])
  expect(new Set(board.panels.map(({ type }) => type))).toEqual(new Set(['row', 'stat', 'timeseries']))
  const taken = new Set<string>()
  for (const { gridPos } of board.panels) {
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
    expect(taken).not.toContain(`${gridPos.x} ${gridPos.y}`)
    taken.add(`${gridPos.x} ${gridPos.y}`)
  }
  const text = await (await ask(gateway.demo.baseUrl)).text()
  const names = [...expressions.join(' ').matchAll(/\b(?:acopay|nodejs|process)_\w+/g)].map(([name]) => name)
  expect(names.filter((name) => !text.includes(`# TYPE ${name.replace(/_(?:bucket|sum|count)$/, '')} `))).toEqual([])
  const told = [...text.matchAll(/^# TYPE (acopay_\w+)/gm)].map(([, name = '']) => name)
  const shown = (name: string): boolean => expressions.some((one) => one.includes(name))
  expect(told.filter((name) => name !== 'acopay_info' && !shown(name))).toEqual([])
})

it.runIf(hasPromtool)('Prometheus reads every expression of the dashboard', () => {
  const rules = expressions.map((expr, at) => ({
    record: `panel:${at}`,
    expr: expr.replaceAll('$job', 'acopay').replaceAll('$__rate_interval', '1m'),
  }))
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'acopay-panels-')), 'rules.yml')
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }))
  const checked = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
  rmSync(path.dirname(file), { recursive: true })
  expect([checked.status, checked.stderr]).toEqual([0, ''])
})

it('the metrics may have a port of their own, which answers nothing else', async () => {
  const own: TestGateway = await testGateway({ ACOPAY_METRICS_PORT: '0' })
  const url = own.gateway.metricsUrl ?? ''
  expect((await fetch(url)).status).toBe(200)
  expect(await (await fetch(url)).text()).toContain('acopay_info{version="')
  expect((await fetch(new URL('/', url))).status).toBe(404)
  expect((await fetch(url, { method: 'POST' })).status).toBe(404)
  expect((await ask(own.demo.baseUrl)).status).toBe(404)
  await own.stop()
  await expect(fetch(url)).rejects.toThrow()
})
