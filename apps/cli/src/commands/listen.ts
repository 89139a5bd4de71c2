/** `acopay listen`: a merchant's server for tests. It shows which notifications verify and which do not. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  explainSignature,
  type NotificationEvent,
  type NotificationHandler,
  nodeHandler,
  notificationHandler,
} from '@acopay/sdk'
import { type Command, type Flags, type Io, painted, textFlag, UsageError } from '../command.ts'
import { type Passed, passOn, type ServerAnswer } from '../pass-on.ts'
import { readSettings, SETTINGS_OPTIONS, type Settings } from '../settings.ts'
import { visible } from './signature.ts'

export const listenCommand: Command = {
  usage: '[--port 9000] [--host 127.0.0.1] [--forward-to URL] [--fail]',
  zh: '在本机接收通知，验签后显示，或原样转发；Ctrl-C结束',
  en: 'receive notifications here and print those that verify, until Ctrl-C; --forward-to passes them on unchanged; --fail answers FAIL to see them again',
  options: {
    ...SETTINGS_OPTIONS,
    port: { type: 'string' },
    host: { type: 'string' },
    fail: { type: 'boolean' },
    'forward-to': { type: 'string', says: '转发到此地址 pass on what verifies to this address' },
  },
  async run(flags, io) {
    const target = targetOf(flags)
    const keys = readSettings(flags, io, ['mchNo', 'platformPublicKey'])
    const hear = listener(keys, flags, io)
    const server = createServer((request, response) => {
      // A GET, of a browser for example, is not a notification.
      if (request.method !== 'POST') response.writeHead(405, { allow: 'POST' }).end()
      else if (target === null) void nodeHandler(hear(null))(request, response)
      else passOn(request, response, { target, hear, show: shownAnswer(flags, io) }).catch(() => response.destroy())
    })
    // Registered before the address is printed: a program that reads the address may end this one at once.
    const stopped = io.untilStopped()
    const url = await listening(server, textFlag(flags, 'host') ?? '127.0.0.1', portOf(flags))
    const lines = [`等待通知 waiting for notifications: --notify-url ${url}`, 'Ctrl-C 结束 ends it']
    if (target !== null) lines.splice(1, 0, `转发到 passed on to: ${target.href}`)
    const forwardTo = target === null ? {} : { forwardTo: target.href }
    io.out(flags.json === true ? JSON.stringify({ notifyUrl: url, ...forwardTo }) : lines.join('\n'))
    await stopped
    server.close()
    server.closeAllConnections()
    return null
  },
}

function portOf(flags: Flags): number {
  const text = textFlag(flags, 'port') ?? '9000'
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError('--port 应为0到65535 (should be 0 to 65535; 0 takes a free one)')
}

/** The server's URL. Throws a UsageError when the port is taken. */
function listening(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${host}:${port}`
      const taken = `端口已被占用，请用 --port 换一个 (taken, choose another --port): ${where}`
      const other = `不能监听 (cannot listen): ${where} ${error.code ?? ''}`
      reject(new UsageError(error.code === 'EADDRINUSE' ? taken : other))
    })
    server.listen(port, host, () => {
      const { address, family, port: taken } = server.address() as AddressInfo
      resolve(`http://${family === 'IPv6' ? `[${address}]` : address}:${taken}/`)
    })
  })
}

/**
 * Makes the handler of one notification. `answer` is asked when it has verified; null: SUCCESS. With `--fail` the gateway is told FAIL all the same.
 */
type Hear = (answer: (() => Promise<ServerAnswer>) | null) => NotificationHandler

function listener(keys: Pick<Settings, 'mchNo' | 'platformPublicKey'>, flags: Flags, io: Io): Hear {
  const isJson = flags.json === true
  const show = (event: NotificationEvent): void => {
    const answered = flags['forward-to'] === undefined ? { answered: flags.fail ? 'FAIL' : 'SUCCESS' } : {}
    io.out(isJson ? JSON.stringify({ ...event, ...answered }) : lineOf(event))
  }
  const made = (onError: (error: unknown) => void): NotificationHandler =>
    notificationHandler({
      ...keys,
      onPayment: show,
      onPaymentReturned: show,
      onRefund: show,
      onSentBack: show,
      onError,
    })
  // Made once at the start, so that a wrong key is reported before the first notification.
  made(() => {})
  return (ask) => async (rawBody) => {
    const seen = await made((error) => showDoubt(io, isJson, doubtOf(error, rawBody, keys.platformPublicKey)))(rawBody)
    if (seen.status !== 200) return seen
    const answer = ask === null ? seen : await ask()
    return flags.fail === true ? { ...seen, status: 500, body: '{"status":"FAIL","message":"失败"}' } : answer
  }
}

function showDoubt(io: Io, isJson: boolean, doubt: Doubt): void {
  if (isJson) {
    io.out(JSON.stringify({ error: doubt }))
    return
  }
  const title = painted(io, 'red', '!!! 通知未通过验证，不可相信 NOT VERIFIED, do not believe it')
  io.err(['', title, ...doubt.why.map((line) => `- ${line}`), ''].join('\n'))
}

/** Prints what the merchant's server answered. */
const shownAnswer =
  (flags: Flags, io: Io) =>
  (passed: Passed): void => {
    const { answer, ms, failure } = passed
    if (flags.json === true) {
      const told = answer === null ? { failure } : { httpStatus: answer.status, body: answer.body }
      io.out(JSON.stringify({ forwarded: { ...told, ms } }))
      return
    }
    const said =
      answer === null ? `没有应答 no answer: ${failure}` : `HTTP ${answer.status} ${answer.body.slice(0, 200)}`
    io.out(painted(io, answer?.status === 200 ? 'green' : 'red', visible(`  → ${said}  ${ms} ms`)))
  }

/** Throws a UsageError for what is no address of a server. */
function targetOf(flags: Flags): URL | null {
  const text = textFlag(flags, 'forward-to')
  if (text === undefined) return null
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.hash === '') return url
  throw new UsageError('--forward-to 应为http或https地址 (should be an http or https address)')
}

const KINDS = {
  payment: '支付 payment',
  payment_returned: '支付已退回 payment returned',
  refund: '退款 refund',
  sent_back: '款项已退回 sent back',
} as const

function lineOf(event: NotificationEvent): string {
  const { kind, notifyTime, description } = event
  return visible([notifyTime.toISOString(), KINDS[kind], ...toldBy(event, description)].join('  '))
}

function toldBy(event: NotificationEvent, description: string): string[] {
  switch (event.kind) {
    case 'refund':
      return [`${description} ${event.state}`, event.refundNo, event.mchRefundNo, `${event.refundAmount} CNY`]
    case 'sent_back':
      return [`${description} ${event.why}`, event.transactionNo, event.reversalNo, `${event.amount} ${event.currency}`]
    default:
      return [`${description} ${event.state}`, event.transactionNo, event.mchTradeNo, `${event.amountTotal} CNY`]
  }
}

type Doubt = { name: string; why: string[] }

/** The error's message and, for a wrong signature, its likely causes in both languages. */
function doubtOf(error: unknown, rawBody: string | Uint8Array, publicKey: string): Doubt {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const found = findings(rawBody, publicKey).map(({ zh, en }) => `${zh} (${en})`)
  return { name, why: [message, ...found].map(visible) }
}

function findings(rawBody: string | Uint8Array, publicKey: string): { zh: string; en: string }[] {
  try {
    const body = JSON.parse(Buffer.from(rawBody as Uint8Array).toString('utf8'))
    return explainSignature({ kind: 'notification', body }, body.sign, publicKey).findings
  } catch {
    return [] // Not a notification: the error's message says so.
  }
}
