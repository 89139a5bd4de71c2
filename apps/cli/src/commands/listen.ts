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
import { type Command, type Flags, type Io, textFlag, UsageError } from '../command.ts'
import { readSettings, SETTINGS_OPTIONS, type Settings } from '../settings.ts'
import { visible } from './signature.ts'

export const listenCommand: Command = {
  usage: '[--port 9000] [--host 127.0.0.1] [--fail]',
  zh: '在本机接收通知，验签后显示；Ctrl-C结束',
  en: 'receive notifications here and print those that verify, until Ctrl-C; --fail answers FAIL to see them again',
  options: {
    ...SETTINGS_OPTIONS,
    port: { type: 'string' },
    host: { type: 'string' },
    fail: { type: 'boolean' },
  },
  async run(flags, io) {
    const keys = readSettings(flags, io, ['mchNo', 'platformPublicKey'])
    const hear = listener(keys, flags, io)
    const server = createServer((request, response) => {
      // A GET, of a browser for example, is not a notification.
      if (request.method === 'POST') void nodeHandler(hear)(request, response)
      else response.writeHead(405, { allow: 'POST' }).end()
    })
    // Registered before the address is printed: a program that reads the address may end this one at once.
    const stopped = io.untilStopped()
    const url = await listening(server, textFlag(flags, 'host') ?? '127.0.0.1', portOf(flags))
    const lines = [`等待通知 waiting for notifications: --notify-url ${url}`, 'Ctrl-C 结束 ends it']
    io.out(flags.json === true ? JSON.stringify({ notifyUrl: url }) : lines.join('\n'))
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

function listener(keys: Pick<Settings, 'mchNo' | 'platformPublicKey'>, flags: Flags, io: Io): NotificationHandler {
  const isJson = flags.json === true
  const show = (event: NotificationEvent): void =>
    io.out(isJson ? JSON.stringify({ ...event, answered: flags.fail ? 'FAIL' : 'SUCCESS' }) : lineOf(event))
  const made = (onError: (error: unknown) => void): NotificationHandler =>
    notificationHandler({ ...keys, onPayment: show, onPaymentReturned: show, onRefund: show, onError })
  // Made once at the start, so that a wrong key is reported before the first notification.
  made(() => {})
  return async (rawBody) => {
    const answer = await made((error) => {
      const doubt = doubtOf(error, rawBody, keys.platformPublicKey)
      if (isJson) io.out(JSON.stringify({ error: doubt }))
      else
        io.err(
          [
            '',
            '!!! 通知未通过验证，不可相信 NOT VERIFIED, do not believe it',
            ...doubt.why.map((line) => `- ${line}`),
            '',
          ].join('\n'),
        )
    })(rawBody)
    const isFailing = flags.fail === true && answer.status === 200
    return isFailing ? { ...answer, status: 500, body: '{"status":"FAIL","message":"失败"}' } : answer
  }
}

const KINDS = {
  payment: '支付 payment',
  payment_returned: '支付已退回 payment returned',
  refund: '退款 refund',
} as const

function lineOf(event: NotificationEvent): string {
  const { kind, notifyTime, state, description, transactionNo, mchTradeNo } = event
  const numbers = kind === 'refund' ? [event.refundNo, event.mchRefundNo] : [transactionNo, mchTradeNo]
  const amount = kind === 'refund' ? event.refundAmount : event.amountTotal
  const parts = [notifyTime.toISOString(), KINDS[kind], `${description} ${state}`, ...numbers, `${amount} CNY`]
  return visible(parts.join('  '))
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
