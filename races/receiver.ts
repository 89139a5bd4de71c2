/** The merchant's notification servers, one address for each mood; every signature is checked, everything is kept. */
import type { KeyObject } from 'node:crypto'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { HEARD, type JsonObject, NOT_HEARD, notificationText, verifyText } from '@acopay/protocol'
import { diceOf } from './dice.ts'
import { MOODS, type Mood } from './plan.ts'

export type Told = {
  atMs: number
  order: number
  isSigned: boolean
  body: Record<string, string | null>
  answer: string
}

export type Receiver = {
  /** Where this order's notifications go. */
  url: (mood: Mood, order: number) => string
  /** From now on every server is there and hears at once. */
  recover: () => Promise<void>
  stop: () => Promise<void>
}

/** So often an order's notification is not heard, in moods that do not hear. */
const DEAF_TIMES = 2

export async function openReceiver(options: {
  seed: number
  platformKey: KeyObject
  told: (told: Told) => void
}): Promise<Receiver> {
  const { seed, platformKey, told } = options
  let isWell = false
  const tries = new Map<string, number>()

  /** What it answers, after how long. */
  const answerOf = (mood: Mood, order: number): { status: number; ms: number } => {
    if (isWell || mood === 'well') return { status: 200, ms: 0 }
    const key = `${mood} ${order}`
    const tried = (tries.get(key) ?? 0) + 1
    tries.set(key, tried)
    if (mood === 'slow') return { status: 200, ms: diceOf(seed, 'slow', order, tried).between(3_000, 6_000) }
    if (tried > DEAF_TIMES) return { status: 200, ms: 0 }
    return { status: mood === 'busy' ? 503 : 0, ms: 0 }
  }

  const hear = (mood: Mood) => async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonObject
    const order = Number(request.url?.split('/').at(-1))
    const { status, ms } = answerOf(mood, order)
    const isSigned = verifyText(notificationText(body), String(body.sign), platformKey)
    const answer = status === 200 ? (ms > 0 ? `heard after ${ms} ms` : 'heard') : status === 0 ? 'FAIL' : String(status)
    told({ atMs: Date.now(), order, isSigned, body: body as Told['body'], answer })
    if (ms > 0) await pause(ms, undefined, { ref: false })
    response.statusCode = status === 0 ? 200 : status
    response.setHeader('content-type', 'application/json; charset=utf-8')
    response.end(JSON.stringify(status === 200 ? HEARD : NOT_HEARD))
  }

  const servers = new Map<Mood, http.Server>()
  const ports = new Map<Mood, number>()
  const open = async (mood: Mood): Promise<void> => {
    const server = http.createServer(
      (request, response) => void hear(mood)(request, response).catch(() => response.destroy()),
    )
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject)
      server.listen(ports.get(mood) ?? 0, '127.0.0.1', resolve)
    })
    ports.set(mood, (server.address() as AddressInfo).port)
    servers.set(mood, server)
  }
  const end = (server: http.Server): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  for (const mood of MOODS) await open(mood)
  // Nobody listens there: connections are refused.
  await end(servers.get('down') as http.Server)
  return {
    url: (mood, order) => `http://127.0.0.1:${ports.get(mood)}/told/${order}`,
    async recover() {
      if (isWell) return
      isWell = true
      await open('down')
    },
    stop: async () => void (await Promise.all([...servers.values()].map(end))),
  }
}
