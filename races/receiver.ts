/** The merchant's notification servers, one address for each mood. They check every signature and report every notification. */
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
  /** From now on every server listens and acknowledges at once. */
  recover: () => Promise<void>
  stop: () => Promise<void>
}

/** What a server answered when it acknowledged at once. */
export const ACKNOWLEDGED = 'acknowledged'

/** So many notifications of an order fail before one is acknowledged, in the moods `fail` and `busy`. */
const FAILED_TIMES = 2

/** The HTTP status, 0 for a FAIL in a 200, after so many milliseconds. */
type Answer = { status: number; ms: number }

const answerText = ({ status, ms }: Answer): string => {
  if (status === 0) return 'FAIL'
  if (status !== 200) return String(status)
  return ms > 0 ? `${ACKNOWLEDGED} after ${ms} ms` : ACKNOWLEDGED
}

/** Decides what the servers answer; it counts the notifications of each order. */
function answersOf(seed: number) {
  const tries = new Map<string, number>()
  let isWell = false
  return {
    isWell: () => isWell,
    recover() {
      isWell = true
    },
    next(mood: Mood, order: number): Answer {
      if (isWell || mood === 'well') return { status: 200, ms: 0 }
      const key = `${mood} ${order}`
      const tried = (tries.get(key) ?? 0) + 1
      tries.set(key, tried)
      if (mood === 'slow') return { status: 200, ms: diceOf(seed, 'slow', order, tried).between(3_000, 6_000) }
      if (tried > FAILED_TIMES) return { status: 200, ms: 0 }
      return { status: mood === 'busy' ? 503 : 0, ms: 0 }
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonObject
}

async function reply(response: ServerResponse, { status, ms }: Answer): Promise<void> {
  if (ms > 0) await pause(ms, undefined, { ref: false })
  response.statusCode = status === 0 ? 200 : status
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.end(JSON.stringify(status === 200 ? HEARD : NOT_HEARD))
}

export async function openReceiver(options: {
  seed: number
  platformKey: KeyObject
  told: (told: Told) => void
}): Promise<Receiver> {
  const { seed, platformKey, told } = options
  const answers = answersOf(seed)

  const receive = (mood: Mood) => async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bodyOf(request)
    const order = Number(request.url?.split('/').at(-1))
    const answer = answers.next(mood, order)
    const isSigned = verifyText(notificationText(body), String(body.sign), platformKey)
    told({ atMs: Date.now(), order, isSigned, body: body as Told['body'], answer: answerText(answer) })
    await reply(response, answer)
  }

  const servers = new Map<Mood, http.Server>()
  const ports = new Map<Mood, number>()
  const open = async (mood: Mood): Promise<void> => {
    const server = http.createServer(
      (request, response) => void receive(mood)(request, response).catch(() => response.destroy()),
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
  // No server listens there: connections are refused.
  await end(servers.get('down') as http.Server)
  return {
    url: (mood, order) => `http://127.0.0.1:${ports.get(mood)}/told/${order}`,
    async recover() {
      if (answers.isWell()) return
      answers.recover()
      await open('down')
    },
    stop: async () => void (await Promise.all([...servers.values()].map(end))),
  }
}
