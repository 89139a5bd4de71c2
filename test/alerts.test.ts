/**
 * Each alert of monitoring/acopay.rules.yml is fired by a real fault of a running gateway that a real Prometheus reads, and by nothing
 * before. Its `for` and its windows are shortened; with the real ones `promtool test rules` fires them.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fen } from '@acopay/core'
import { expect, it, onTestFinished } from 'vitest'
import { call, close, openAttempt, pay, place } from './support/merchant.ts'
import { receiver } from './support/receiver.ts'
import { SIZE } from './support/size.ts'
import { testWorld } from './support/world.ts'

const TOKEN = 'a-token-of-the-tests'
const HOUR = 3_600_000
/** What an earlier fault of the list fires by the way; that it was silent is seen at the beginning. */
const FOLLOWS = new Set(['AcopayUnmatchedPayments', 'AcopayDeadLetters', 'AcopayDifferences'])
const GIVE_UP_S = Number(process.env.ALERTS_GIVE_UP ?? 120)

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0
const canRun = has('prometheus') && has('promtool')
if (!canRun) console.log('跳过告警测试 SKIPPED alerts: apt-get install prometheus')

/** The rules in a hurry. */
const hurried = (rules: string): string =>
  rules
    .replace(/for: \w+/g, 'for: 1s')
    .replace(/\[\d+m\]/g, '[40s]')
    .replace(/offset \d+m/g, 'offset 40s')

/** Prometheus over a gateway; tells which alerts fire. */
async function prometheus(target: string) {
  const dir = mkdtempSync(path.join(tmpdir(), 'acopay-prometheus-'))
  writeFileSync(path.join(dir, 'rules.yml'), hurried(readFileSync('monitoring/acopay.rules.yml', 'utf8')))
  const job = `{ job_name: acopay, authorization: { credentials: ${TOKEN} }, static_configs: [{ targets: ['${target}'] }] }`
  const times = '{ scrape_interval: 3s, scrape_timeout: 3s, evaluation_interval: 1s }'
  writeFileSync(
    path.join(dir, 'prometheus.yml'),
    `global: ${times}\nrule_files: [rules.yml]\nscrape_configs: [${job}]\n`,
  )
  const address = `127.0.0.1:${await freePort()}`
  const args = [
    `--config.file=${dir}/prometheus.yml`,
    `--storage.tsdb.path=${dir}/data`,
    `--web.listen-address=${address}`,
  ]
  const child = spawn('prometheus', [...args, '--log.level=error'], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  type Alerts = { data: { alerts: { state: string; labels: { alertname: string } }[] } }
  const firing = async (): Promise<Set<string>> => {
    const answer = await fetch(`http://${address}/api/v1/alerts`).catch(() => null)
    const { alerts } = answer?.ok ? ((await answer.json()) as Alerts).data : { alerts: [] }
    return new Set(alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname))
  }
  const ask = async (query: string): Promise<unknown[]> => {
    const answer = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`).catch(() => null)
    return answer?.ok ? ((await answer.json()) as { data: { result: unknown[] } }).data.result : []
  }
  return {
    firing,
    ask,
    stop: async () => {
      child.kill()
      await ended
      rmSync(dir, { recursive: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

it.runIf(canRun && SIZE.alerts > 0)(
  'each alert is fired by its fault, and a healthy gateway is silent',
  async () => {
    const test = await testWorld({
      env: { ACOPAY_METRICS_TOKEN: TOKEN },
      // The upstream's bill of yesterday lacks what was paid.
      upstream: (_real, name) => ({
        fetchUpstreamBill: async () => (name === 'wechat' ? { kind: 'bill', lines: [] } : { kind: 'none' }),
      }),
    })
    const { demo, world, upstreams, database } = test
    await database.pool.query(`update channel_account set created_at = $1`, [
      new Date(world.now().getTime() - 24 * HOUR),
    ])
    const merchant = await receiver(demo.platformPublicKey)
    const paid = async (): Promise<string> => {
      const order = await place(demo, { notify_url: merchant.url })
      await pay(demo, order, (await openAttempt(demo, order)) ?? '')
      return order
    }
    const attended = async (): Promise<string> => {
      const order = await place(demo)
      await openAttempt(demo, order)
      return order
    }
    const server = await prometheus(new URL(demo.baseUrl).host)
    onTestFinished(server.stop)
    const table: string[] = []

    /** Waits until what an earlier fault has fired is over. */
    const silent = async (alert: string): Promise<boolean> => {
      for (let tries = 0; tries < 60 && (await server.firing()).has(alert); tries += 1) {
        test.advance(5000)
        await pause(1000)
      }
      return !(await server.firing()).has(alert)
    }

    /** Makes the fault, goes on with `again`, and waits until the alert fires. */
    const fires = async (alert: string, fault: string, work: () => Promise<unknown>, again = async () => {}) => {
      const wasSilent = FOLLOWS.has(alert) || (await silent(alert))
      let startMs = performance.now()
      const seconds = (): number => (performance.now() - startMs) / 1000
      await work()
      startMs = performance.now()
      let isFiring = false
      while (!isFiring && seconds() < GIVE_UP_S) {
        // What is read from the database is read anew after five seconds.
        test.advance(5000)
        await again()
        await pause(1000)
        isFiring = (await server.firing()).has(alert)
      }
      // All alerts are tried before one that is not fired fails the test.
      const word = isFiring && wasSilent ? `${seconds().toFixed(0)} s` : 'WRONG'
      table.push(`${alert.padEnd(24)} ${fault.padEnd(60)} ${word}`)
    }

    // A healthy gateway: orders are placed, closed in each way, paid and told of.
    await expect.poll(() => server.ask('up == 1'), { timeout: 60_000 }).toHaveLength(1)
    for (let one = 0; one < 4; one += 1) {
      await close(demo, await place(demo))
      await close(demo, await attended())
      await paid()
      await test.runJobs()
      await pause(3000)
      test.advance(5000)
    }
    const quiet = await server.firing()
    // On a machine without processor time to spare this one tells the truth.
    quiet.delete('AcopayBusy')
    expect([...quiet]).toEqual([])

    const waiting = await Promise.all(Array.from({ length: 40 }, attended))
    upstreams.faults('wechat').set([{ kind: 'error_before' }])
    const unanswered = async () => void (await test.whileTimePasses(close(demo, waiting.pop() ?? '')))
    await fires('AcopayUpstreamSilent', 'the upstream answers every call with an error', unanswered, unanswered)
    const resting = async () => (waiting.length > 4 ? unanswered() : undefined)
    if ((await server.firing()).has('AcopayUpstreamResting'))
      table.push('AcopayUpstreamResting    the same, 20 times in a row')
    else await fires('AcopayUpstreamResting', 'the same, 20 times in a row', resting, resting)
    await fires('AcopayStuck', 'orders cannot be closed for 25 minutes', async () => test.advance(1_500_000))

    // The account's rest is over: it is asked again.
    upstreams.faults('wechat').set([])
    test.advance(10_000)
    const unlucky = await attended()
    upstreams.faults('wechat').set([{ kind: 'slow_answer', ms: HOUR }])
    await fires('AcopaySlowCloses', 'the upstream says nothing: a close takes its whole budget', async () => {
      const slow = close(demo, unlucky)
      await pause(6000)
      await test.whileTimePasses(slow)
    })
    upstreams.faults('wechat').set([])

    await fires('AcopayAlarm', 'a payment arrives for an attempt that is not in the books', async () => {
      const channel = await world.channelOf(demo.mchNo, 'wechat')
      const [attemptNo, notifyUrl] = ['AT00000000000000000000000000ELSE', world.notifyUrl(demo.mchNo, 'wechat')]
      const expireAt = new Date(world.now().getTime() + HOUR)
      const ask = { attemptNo, method: 'native', amountFen: fen(1250n), description: 'x', expireAt, notifyUrl }
      await channel?.open({ ...ask, returnUrl: null, payerIp: null, openId: null }, AbortSignal.timeout(10_000))
      await upstreams.of('wechat').control.payAnyway(attemptNo)
      await test.runJobs()
    })
    await fires('AcopayUnmatchedPayments', 'the same', async () => {})

    merchant.answer((_told, response) => response.writeHead(500).end())
    await fires('AcopayLateNotifications', 'the merchant answers 500 for ten minutes', async () => {
      await paid()
      await test.runJobs()
      test.advance(660_000)
    })
    await fires('AcopayDeadLetters', 'the merchant answers 500 for a day', async () => {
      for (let hours = 0; hours < 60; hours += 1) {
        test.advance(HOUR)
        await test.runJobs()
      }
    })
    await fires('AcopayDifferences', "the upstream's bill lacks a payment", async () => {})

    await fires(
      'AcopaySystemErrors',
      'the table of orders is gone',
      async () => void (await database.pool.query('alter table orders rename to orders_away')),
      async () => void (await call(demo, { method: 'POST', path: 'close', params: { transaction_no: 'AP1' } })),
    )
    await database.pool.query('alter table orders_away rename to orders')
    const sleepers: Promise<unknown>[] = []
    const sleepMany = async () => {
      for (let one = 0; one < 40; one += 1) sleepers.push(database.pool.query('select pg_sleep(0.5)'))
    }
    await fires('AcopayPoolFull', '40 slow statements at once, over and over', sleepMany, sleepMany)
    await Promise.all(sleepers)
    await fires('AcopayNotReady', 'the database refuses the small write of /readyz', async () => {
      await database.pool.query('alter table readiness rename to readiness_away')
    })
    await database.pool.query('alter table readiness_away rename to readiness')
    // Prometheus looks every second: each look has to find the loop blocked.
    let blocking: NodeJS.Timeout | undefined
    if (!(await server.firing()).has('AcopayBusy'))
      await fires('AcopayBusy', 'the event loop is blocked for 400 ms, twice a second', async () => {
        blocking = setInterval(() => block(400), 500)
      })
    else table.push('AcopayBusy               this machine has no processor time left')
    clearInterval(blocking)
    await merchant.stop()
    await test.stop()
    await fires('AcopayDown', 'the process has ended', async () => {})

    console.log(table.join('\n'))
    expect(table.filter((line) => line.endsWith('WRONG'))).toEqual([])
    const rules = [...readFileSync('monitoring/acopay.rules.yml', 'utf8').matchAll(/alert: (\w+)/g)].map(
      ([, name]) => name,
    )
    expect(new Set(table.map((line) => line.split(' ', 1)[0]))).toEqual(new Set(rules))
  },
  600_000,
)
