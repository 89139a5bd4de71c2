/**
 * What strangers at the console's door cost merchants: closes per second and their latency while 600 sign-ins with guessed
 * passwords come from 60 addresses, as a share of what they are without, in turns within one run. `npm run bench:strangers`; Linux,
 * where every address of 127.0.0.0/8 is this machine's.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startProcess } from '../test/support/process.ts'
import { closeRequest, placeOrders, quantile } from './closes.ts'
import { openConnection } from './connection.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '16' },
  },
})
const SECONDS = Number(values.seconds)
const ROUNDS = Number(values.rounds)
const CONNECTIONS = Number(values.connections)
const ADDRESSES = 60
const SIGN_INS = 600
const WARM_UP = 500
const MOST_PER_SECOND = 1200

type Window = { seconds: number; millis: number[] }

const home = mkdtempSync(path.join(tmpdir(), 'acopay-bench-'))
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const gateway = await startProcess({ ACOPAY_HOME: home, LOG_LEVEL: 'silent' })
try {
  await closing(await prepared(WARM_UP))
  const quiet: Window[] = []
  const noisy: Window[] = []
  const answers = new Map<number, number>()
  for (let round = 0; round < ROUNDS; round += 1) {
    const [first, second] = [await prepared(MOST_PER_SECOND * SECONDS), await prepared(MOST_PER_SECOND * SECONDS)]
    quiet.push(await closing(first))
    const [window] = await Promise.all([closing(second), strangersCome(answers)])
    noisy.push(window)
    say(`round ${round + 1}: ${told(quiet.slice(-1))} without strangers, ${told(noisy.slice(-1))} with them`)
  }
  const share = perSecond(noisy) / perSecond(quiet)
  const p99 = quantile(all(noisy), 0.99)
  const statuses = [...answers].sort().map(([status, count]) => `${count} × ${status || 'no answer'}`)
  say(`strangers were answered: ${statuses.join(', ')}`)
  say(
    `all: ${told(quiet)} without, ${told(noisy)} with: ${(100 * share).toFixed(0)} % (promised: above 80 %, p99 below 1 s)`,
  )
  process.exitCode = share > 0.8 && p99 < 1000 ? 0 : 1
} finally {
  await gateway.end('SIGTERM')
  rmSync(home, { recursive: true, force: true })
}

function all(windows: Window[]): number[] {
  return windows.flatMap(({ millis }) => millis)
}

function perSecond(windows: Window[]): number {
  return all(windows).length / windows.reduce((sum, { seconds }) => sum + seconds, 0)
}

function told(windows: Window[]): string {
  const millis = all(windows)
  const at = (share: number): string => quantile(millis, share).toFixed(0)
  return `${perSecond(windows).toFixed(0)} closes/s (p50 ${at(0.5)} ms, p99 ${at(0.99)} ms)`
}

/** Signed closes of `count` orders, which are placed for them. */
async function prepared(count: number): Promise<Buffer[]> {
  const orders = await placeOrders([gateway.demo], count)
  return Promise.all(orders.map(closeRequest))
}

/** Closes for `SECONDS`, or until all are closed. */
async function closing(requests: Buffer[]): Promise<Window> {
  const lanes = await Promise.all(Array.from({ length: CONNECTIONS }, () => openConnection(gateway.url)))
  const millis: number[] = []
  const start = performance.now()
  const until = start + SECONDS * 1000
  await Promise.all(
    lanes.map(async (lane) => {
      while (performance.now() < until) {
        const next = requests.pop()
        if (next === undefined) return
        const askedMs = performance.now()
        const answer = await lane.ask(next)
        millis.push(performance.now() - askedMs)
        if (!answer.includes('关单成功')) throw new Error(answer)
      }
    }),
  )
  for (const lane of lanes) lane.end()
  return { seconds: (performance.now() - start) / 1000, millis }
}

/** Each stranger comes ten times, spread over the window. */
async function strangersCome(answers: Map<number, number>): Promise<void> {
  const sent: Promise<void>[] = []
  for (let one = 0; one < SIGN_INS; one += 1) {
    const signingIn = signIn(`127.0.1.${1 + (one % ADDRESSES)}`).then((status) => {
      answers.set(status, (answers.get(status) ?? 0) + 1)
    })
    sent.push(signingIn)
    await pause((SECONDS * 1000) / SIGN_INS)
  }
  await Promise.all(sent)
}

/** The answer's status; 0 where there is none. Plain bytes, so that the strangers take little of the machine themselves. */
function signIn(localAddress: string): Promise<number> {
  const { hostname, port } = new URL(gateway.url)
  const body = JSON.stringify({ username: 'nobody', password: 'guessed-password-1' })
  const head = [
    'POST /console/api/session HTTP/1.1',
    ...[`host: ${hostname}:${port}`, `origin: ${gateway.url}`, 'connection: close'],
    ...['content-type: application/json', `content-length: ${body.length}`],
  ]
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), localAddress })
    let said = ''
    socket.on('data', (data) => {
      said += data.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1] ?? 0)))
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  })
}
