/**
 * A mixed day for a long time at 70 % of what the gateway can do: whether memory, latency and event-loop delay stay where they are.
 * `npm run bench:soak -- --minutes 30`; Linux. Writes a picture by minute, and figures as JSON where `--out` says.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Minute, minuteOf, RSS_MB, soakVerdicts } from './figures/minutes.ts'
import { plot } from './figures/plot.ts'
import { progress } from './figures/said.ts'
import { soakText, verdictText } from './figures/table.ts'
import { LIMITS } from './figures/targets.ts'
import { writeReadmes } from './figures/write.ts'
import { numberOf } from './options.ts'
import { runOf } from './run-of.ts'
import type { Gateways } from './stack/gateways.ts'
import { openStack, type Stack } from './stack/stack.ts'
import { type Crowd, openCrowd } from './work/crowd.ts'

const { values } = parseArgs({
  allowNegative: true,
  options: {
    minutes: { type: 'string', default: '30' },
    connections: { type: 'string', default: '1000' },
    merchants: { type: 'string', default: '1000' },
    processes: { type: 'string', default: '1' },
    share: { type: 'string', default: '70' },
    'find-seconds': { type: 'string', default: '30' },
    picture: { type: 'string', default: path.join(import.meta.dirname, '../docs/pictures/soak.svg') },
    out: { type: 'string' },
    write: { type: 'boolean', default: true },
  },
})
const MINUTES = numberOf('minutes', values.minutes, [1, 10_000])
const CONNECTIONS = numberOf('connections', values.connections, [1, 10_000])
const MERCHANTS = numberOf('merchants', values.merchants, [1, 10_000])
const PROCESSES = numberOf('processes', values.processes, [1, 64])
const SHARE = numberOf('share', values.share, [1, 100]) / 100
const FIND_MS = 1000 * numberOf('find-seconds', values['find-seconds'], [1, 600])
const LOOK_MS = 10_000
const MINUTE_MS = 60_000

const say = progress()

async function main(): Promise<void> {
  const stack = await openStack({ merchants: MERCHANTS, node: process.execPath })
  try {
    const gateways = await stack.start(PROCESSES)
    const crowd = await openCrowd(stack, gateways.urls, CONNECTIONS)
    say.step(`looking for the most it can do, for ${FIND_MS / 1000} s …`)
    const most = await crowd.run({ forMs: FIND_MS, perSecond: null })
    const perSecond = SHARE * (most.millis.length / most.seconds)
    say.line(
      `at most ${(most.millis.length / most.seconds).toFixed(0)} requests/s; from now on ${perSecond.toFixed(0)}`,
    )
    const minutes = await soaked(crowd, gateways, perSecond)
    crowd.end()
    told(stack, minutes, perSecond)
  } finally {
    await stack.stop()
  }
}

/** A minute after the other, without a pause between them. */
async function soaked(crowd: Crowd, gateways: Gateways, perSecond: number): Promise<Minute[]> {
  const minutes: Minute[] = []
  await gateways.delayMs()
  for (let at = 1; at <= MINUTES; at += 1) {
    const memory = largest(gateways)
    const ran = await crowd.run({ forMs: MINUTE_MS, perSecond })
    const rssBytes = await memory()
    const minute = minuteOf({ at, ...ran }, { rssBytes, delayMs: await gateways.delayMs() })
    minutes.push(minute)
    const { p50, p99, rssMb, delayMs, failures } = minute
    say.line(
      `minute ${at}: ${minute.perSecond.toFixed(0)}/s  p50 ${p50.toFixed(1)}  p99 ${p99.toFixed(0)} ms  ` +
        `memory ${rssMb.toFixed(0)} MB  event loop p99 ${delayMs.toFixed(0)} ms  ${failures} failed`,
    )
    if (ran.firstFailure !== null) say.line(`  ${ran.firstFailure}`)
  }
  return minutes
}

/** Looks every ten seconds; answers the largest size of any gateway process. */
function largest(gateways: Gateways): () => Promise<number> {
  const ending = new AbortController()
  let most = Math.max(...gateways.bytes())
  const looking = (async () => {
    while (!ending.signal.aborted) {
      await pause(LOOK_MS, undefined, { signal: ending.signal }).catch(() => {})
      most = Math.max(most, ...gateways.bytes())
    }
  })()
  return async () => {
    ending.abort()
    await looking
    return most
  }
}

function told({ database }: Stack, minutes: Minute[], perSecond: number): void {
  const run = runOf({ postgres: database.version, orders: 0 })
  const of = (name: 'p99' | 'rssMb' | 'delayMs') => minutes.map((minute) => ({ x: minute.at, y: minute[name] }))
  const title = `${run.date}, ${run.commit}, Node ${run.node}, ${run.cores} cores: ${perSecond.toFixed(0)} requests/s, ${CONNECTIONS} connections, ${PROCESSES} process(es)`
  const panels = [
    { title: 'memory of a gateway process, MB', points: of('rssMb'), bound: RSS_MB },
    { title: 'p99 of all requests, ms', points: of('p99'), bound: null },
    { title: 'event-loop delay p99, ms', points: of('delayMs'), bound: LIMITS.delayMs },
  ]
  mkdirSync(path.dirname(path.resolve(values.picture)), { recursive: true })
  writeFileSync(values.picture, plot(title, panels))
  const verdicts = soakVerdicts(minutes)
  say.line(`\n${verdictText(verdicts, 'en')}\n`)
  say.line(`picture: ${values.picture}`)
  const soak = { ...run, minutes: MINUTES, connections: CONNECTIONS, processes: PROCESSES, perSecond }
  if (values.write) writeReadmes('bench:soak', (language) => soakText(soak, verdicts, language))
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify({ run, minutes, verdicts }, null, 2)}\n`)
}

await main()
