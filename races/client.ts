/** The merchant's calls, signed and checked, and the payer's and the operator's, unsigned. Each is repeated until answered. */

import type { KeyObject } from 'node:crypto'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import {
  BASE_PATH,
  type Envelope,
  type JsonObject,
  requestText,
  responseText,
  SIGN_TYPE,
  signText,
  verifyText,
} from '@acopay/protocol'
import { ask, codeOf, type Reply } from './http.ts'
import type { Pulse } from './pulse.ts'

export type Client = {
  mchNo: string
  appNo: string
  privateKey: KeyObject
  platformKey: KeyObject
  /** The address of a gateway that is up; each call takes the next one. */
  gateway: () => string
  /** Whether this run kills processes: then a missing answer, or an error, is expected. */
  isKilled: boolean
  console: { cookie: string; csrf: string } | null
  pulse: Pulse
  /** Records a missing or wrong answer, in runs without kills. */
  trouble: (what: string) => void
}

export type Answer = { status: number; message: string; data: Record<string, string | null> }

/** An answer, and the tries before it that had none. */
export type Answered<Got> = { answer: Got; sentMs: number; knownMs: number; unanswered: { sentMs: number }[] }

const PATIENCE_MS = 300_000

/** A merchant's call. Null when no answer came for five minutes. */
export const call = (
  client: Client,
  method: 'GET' | 'POST',
  path: string,
  params: JsonObject,
): Promise<Answered<Answer> | null> =>
  untilAnswered(client, `${method} ${path}`, async (base) => {
    const nonce = randomUUID().replaceAll('-', '')
    const text = requestText(params, { mchNo: client.mchNo, nonce, signType: SIGN_TYPE })
    const headers: Record<string, string> = {
      'x-acopay-mch-no': client.mchNo,
      'x-acopay-nonce': nonce,
      'x-acopay-sign-type': SIGN_TYPE,
      'x-acopay-sign': await signText(text, client.privateKey),
    }
    const url = base + BASE_PATH + path
    const sentMs = Date.now()
    if (method === 'GET') {
      const reply = await ask(`${url}?${new URLSearchParams(params as Record<string, string>)}`, { headers })
      return { sentMs, answer: readAnswer(client, reply) }
    }
    headers['content-type'] = 'application/json; charset=utf-8'
    const reply = await ask(url, { method, headers, body: JSON.stringify(params) })
    return { sentMs, answer: readAnswer(client, reply) }
  })

/** Returns a string when the answer is wrong: it says what is wrong. */
function readAnswer({ platformKey }: Client, { status: httpStatus, text }: Reply): Answer | string {
  if (httpStatus !== 200) return `HTTP ${httpStatus}`
  const envelope = JSON.parse(text) as Envelope
  const { status, message, data } = envelope
  if (status === 1500) return '1500'
  const sign = data?.sign
  if (typeof sign !== 'string') return `${status} without a signature`
  if (!verifyText(responseText(envelope), sign, platformKey)) return `${status} with a wrong signature`
  return { status, message, data: data as Answer['data'] }
}

/** What a payer or an upstream does in the sandbox (docs/sandbox.md). */
export const sandbox = (client: Client, method: 'GET' | 'POST', path: string): Promise<Answered<Reply> | null> =>
  untilAnswered(client, path.split('/').at(-1) ?? path, async (base) => {
    const sentMs = Date.now()
    const reply = await ask(`${base}/sandbox/${path}`, { method, timeoutMs: 60_000 })
    return { sentMs, answer: reply.status >= 500 ? `HTTP ${reply.status}` : reply }
  })

/** A call of the console's own API (docs/console.md). */
export const atConsole = (
  client: Client,
  method: 'GET' | 'POST',
  path: string,
): Promise<Answered<{ status: number; body: Record<string, unknown> }> | null> =>
  untilAnswered(client, `console ${path.split('/').at(-1)}`, async (base) => {
    const { cookie = '', csrf = '' } = client.console ?? {}
    const headers: Record<string, string> = { cookie, 'x-acopay-csrf': csrf }
    if (method === 'POST') headers['content-type'] = 'application/json'
    const sentMs = Date.now()
    const reply = await ask(`${base}/console/api/${path}`, {
      method,
      headers,
      ...(method === 'POST' ? { body: '{}' } : {}),
    })
    if (reply.status >= 500) return { sentMs, answer: `HTTP ${reply.status}` }
    return { sentMs, answer: { status: reply.status, body: JSON.parse(reply.text) as Record<string, unknown> } }
  })

export async function signIn(client: Client, user: { username: string; password: string }): Promise<void> {
  const reply = await ask(`${client.gateway()}/console/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: user.username, password: user.password }),
  })
  if (reply.status !== 200) throw new Error(`${user.username} could not sign in at the console: ${reply.text}`)
  const cookie = (reply.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ')
  client.console = { cookie, csrf: (JSON.parse(reply.text) as { csrf: string }).csrf }
}

/** A gateway answers 1500 after nine seconds, whatever it still waits for: on a busy machine that is no violation. */
const GIVEN_UP_MS = 8_500

/** Asks again, as a merchant would, until a readable answer comes, and keeps the time of each try without one. */
async function untilAnswered<Got extends object>(
  client: Client,
  what: string,
  once: (base: string) => Promise<{ sentMs: number; answer: Got | string }>,
): Promise<Answered<Got> | null> {
  const unanswered: { sentMs: number }[] = []
  for (const untilMs = Date.now() + PATIENCE_MS; Date.now() < untilMs; await pause(100)) {
    const startedMs = Date.now()
    try {
      const { sentMs, answer } = await once(client.gateway())
      if (typeof answer !== 'string') return { answer, sentMs, knownMs: Date.now(), unanswered }
      const isLate = answer === '1500' && Date.now() - startedMs >= GIVEN_UP_MS
      if (isLate && client.pulse.isBusy()) client.pulse.excused += 1
      else client.trouble(`${what}: ${answer}`)
    } catch (error) {
      const code = codeOf(error)
      if (code === 'TIMEOUT' && client.pulse.isBusy()) client.pulse.excused += 1
      else if (code !== 'STALE') client.trouble(`${what}: ${code}`)
    }
    unanswered.push({ sentMs: startedMs })
  }
  return null
}
