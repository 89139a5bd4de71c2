/**
 * The other side of each kind of alarm channel, on this machine: it checks what its manual says and answers as the real one does.
 * The manuals: https://developer.work.weixin.qq.com/document/path/91770 (WeCom), https://open.dingtalk.com/document/robots/custom-robot-access
 * and its page on 加签 (DingTalk), https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot (Feishu),
 * https://github.com/standard-webhooks/standard-webhooks (webhooks). The signatures are also held against values that others
 * computed: apps/server/src/outbound/alarm-forms.test.ts.
 */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export type Heard = { text: string; body: Record<string, unknown> }
export type AlarmReceiver = {
  url: string
  heard: Heard[]
  /** What it answers from now on, in place of taking the message. */
  refuse: (answer: { status?: number; body: object } | null) => void
  stop: () => Promise<void>
}

export type Robot = 'wecom' | 'dingtalk' | 'feishu' | 'webhook'

/** Null: it is as the manual says. */
type Check = (call: {
  url: URL
  body: Record<string, unknown>
  raw: string
  headers: IncomingMessage['headers']
}) => object | null

const base64Hmac = (key: string | Buffer, text: string): string =>
  createHmac('sha256', key).update(text, 'utf8').digest('base64')

/** `nowMs`: the robot's clock; a time more than an hour away is refused. */
const checks = (secret: string, nowMs: () => number): Record<Robot, Check> => ({
  wecom({ body }) {
    const { content } = (body.markdown ?? {}) as { content?: string }
    if (body.msgtype !== 'markdown' || content === undefined) return { errcode: 40008, errmsg: 'invalid message type' }
    return Buffer.byteLength(content) > 4096
      ? { errcode: 40058, errmsg: 'markdown.content exceed max length 4096' }
      : null
  },
  dingtalk({ url, body }) {
    const [timestamp, sign] = [url.searchParams.get('timestamp') ?? '', url.searchParams.get('sign')]
    const isRight = sign === base64Hmac(secret, `${timestamp}\n${secret}`)
    if (!isRight || Math.abs(nowMs() - Number(timestamp)) > 3_600_000)
      return { errcode: 310000, errmsg: 'sign not match' }
    const { title, text } = (body.markdown ?? {}) as Record<string, unknown>
    return typeof title === 'string' && typeof text === 'string' ? null : { errcode: 40035, errmsg: '缺少参数 json' }
  },
  feishu({ body }) {
    const { timestamp, sign, msg_type } = body
    const isRight = sign === base64Hmac(`${String(timestamp)}\n${secret}`, '')
    if (!isRight || Math.abs(nowMs() / 1000 - Number(timestamp)) > 3600)
      return { code: 19021, msg: 'sign match fail or timestamp is not within one hour from current time', data: {} }
    return msg_type === 'post' ? null : { code: 9499, msg: 'Bad Request', data: {} }
  },
  webhook({ raw, headers }) {
    const [id, time] = [headers['webhook-id'], headers['webhook-timestamp']]
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    return headers['webhook-signature'] === `v1,${base64Hmac(key, `${id}.${time}.${raw}`)}`
      ? null
      : { error: 'signature' }
  },
})

const TAKEN: Record<Robot, object> = {
  wecom: { errcode: 0, errmsg: 'ok' },
  dingtalk: { errcode: 0, errmsg: 'ok' },
  feishu: { StatusCode: 0, StatusMessage: 'success', code: 0, data: {}, msg: 'success' },
  webhook: { ok: true },
}

export async function alarmReceiver(robot: Robot, secret: string, nowMs: () => number): Promise<AlarmReceiver> {
  const heard: Heard[] = []
  let refusal: { status?: number; body: object } | null = null
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const raw = Buffer.concat(chunks).toString('utf8')
    const body = JSON.parse(raw) as Record<string, unknown>
    const url = new URL(request.url ?? '', 'http://robot')
    const wrong = checks(secret, nowMs)[robot]({ url, body, raw, headers: request.headers })
    const answer = refusal ?? { body: wrong ?? TAKEN[robot] }
    if (refusal === null && wrong === null) heard.push({ text: textOf(body), body })
    // The robots answer 200 whatever it is.
    response.writeHead(answer.status ?? (robot === 'webhook' && wrong !== null ? 401 : 200), {
      'content-type': 'application/json',
    })
    response.end(JSON.stringify(answer.body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/robot?key=k-of-the-robot`,
    heard,
    refuse: (answer) => {
      refusal = answer
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** All texts in a message. */
const textOf = (body: unknown): string => {
  if (typeof body === 'string') return body
  return typeof body === 'object' && body !== null ? Object.values(body).map(textOf).join('\n') : ''
}

export type MailServer = {
  port: number
  mails: { from: string; to: string[]; raw: string }[]
  stop: () => Promise<void>
}

/** A server for mail that takes one user, in the clear, as only this machine's may. */
export async function mailServer(user: { name: string; password: string }): Promise<MailServer> {
  const mails: MailServer['mails'] = []
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    onAuth({ username, password }, _session, done) {
      if (username === user.name && password === user.password) done(null, { user: username })
      else done(new Error('535 5.7.8 authentication failed'))
    },
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        const to = envelope.rcptTo.map(({ address }) => address)
        mails.push({ from, to, raw: Buffer.concat(chunks).toString('utf8') })
        done(null)
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
