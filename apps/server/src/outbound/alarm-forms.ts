/**
 * How each kind of robot is spoken to, after its manual; docs/alarms.md has the addresses. All answer 200 and say in the body whether the
 * message was taken.
 */
import { createHmac } from 'node:crypto'

export type Link = { text: string; url: string }
/** `mark`: what people see first. */
export type Line = { mark: string; zh: string; en: string; links: Link[] }
export type Message = {
  title: string
  lines: Line[]
  /** For programs. */
  news: { what: string; kind: string; subject: string; severity: string; raised_at: string; found: number }[]
}

/** WeCom takes 4096 bytes of Markdown, the smallest of these. */
const BYTES_MAX = 4000

export type Outgoing = { url: string; body: string; headers: Record<string, string> }

/** `secret`: the robot's signing secret; empty where its owner chose another protection. */
export type RobotSettings = { url: string; secret: string }

const post = (url: string, body: object): Outgoing => ({ url, body: JSON.stringify(body), headers: {} })

const hmac = (key: string | Buffer, text: string): string =>
  createHmac('sha256', key).update(text, 'utf8').digest('base64')

/** 企业微信 group robot: no signature, the key is in the address. */
export const wecomForm = ({ url }: RobotSettings, message: Message): Outgoing =>
  post(url, { msgtype: 'markdown', markdown: { content: markdownOf(message) } })

/** DingTalk: the text is signed with the secret. `nowMs` is compared with DingTalk's clock; an hour is tolerated. */
export function dingtalkForm({ url, secret }: RobotSettings, message: Message, nowMs: number): Outgoing {
  const to = new URL(url)
  if (secret !== '') {
    to.searchParams.set('timestamp', String(nowMs))
    to.searchParams.set('sign', hmac(secret, `${nowMs}\n${secret}`))
  }
  return post(to.href, { msgtype: 'markdown', markdown: { title: message.title, text: markdownOf(message) } })
}

/** Feishu: time and secret are the key, and nothing is signed. The time is in seconds. */
export function feishuForm({ url, secret }: RobotSettings, message: Message, nowMs: number): Outgoing {
  const timestamp = String(Math.floor(nowMs / 1000))
  const proof = secret === '' ? {} : { timestamp, sign: hmac(`${timestamp}\n${secret}`, '') }
  const content = fitting(message.lines, textOf).map((line) => [
    { tag: 'text', text: textOf(line) },
    ...line.links.flatMap(({ text, url: href }) => [
      { tag: 'text', text: ' ' },
      { tag: 'a', text, href },
    ]),
  ])
  return post(url, { ...proof, msg_type: 'post', content: { post: { zh_cn: { title: message.title, content } } } })
}

/** A program's own receiver, signed as Standard Webhooks say: the secret is Base64 after `whsec_`. */
export function webhookForm(
  { url, secret }: RobotSettings,
  message: Message,
  { id, nowMs }: { id: string; nowMs: number },
): Outgoing {
  const { title, lines, news } = message
  const timestamp = String(Math.floor(nowMs / 1000))
  const body = JSON.stringify({
    type: 'acopay.alarm',
    timestamp: new Date(nowMs).toISOString(),
    data: { title, news, lines },
  })
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signed = { 'webhook-signature': `v1,${hmac(key, `${id}.${timestamp}.${body}`)}` }
  return {
    url,
    body,
    headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, ...(secret === '' ? {} : signed) },
  }
}

/** Whether a robot took the message: `errcode`, or Feishu's `code`, is 0. */
export function isTaken(reply: string | null): boolean {
  try {
    const { errcode, code, StatusCode } = JSON.parse(reply ?? '') as Record<string, unknown>
    return (errcode ?? code ?? StatusCode) === 0
  } catch {
    return false
  }
}

const textOf = ({ mark, zh, en }: Line): string => `${mark} ${zh} ${en}`.trim()

/** What an upstream or a merchant's data could put into a line is text, and not a link or a mention. */
const plain = (text: string): string => text.replace(/[[\]<>*`]/g, ' ')

const markdownLine = (line: Line): string =>
  [plain(textOf(line)), ...line.links.map(({ text, url }) => `[${plain(text)}](${url})`)].join(' ')

const markdownOf = ({ title, lines }: Message): string =>
  [`**${title}**`, ...fitting(lines, markdownLine).map(markdownLine)].join('\n\n')

/** As many lines as fit, and the last, which leads to all of them. */
function fitting(lines: readonly Line[], show: (line: Line) => string): Line[] {
  const last = lines.slice(-1)
  const bytesOf = (line: Line): number => Buffer.byteLength(show(line)) + 4
  let left = BYTES_MAX - 200 - last.reduce((sum, line) => sum + bytesOf(line), 0)
  const kept = lines.slice(0, -1).filter((line) => {
    left -= bytesOf(line)
    return left >= 0
  })
  return [...kept, ...last]
}

export const plainText = ({ title, lines }: Message): string =>
  [
    title,
    ...lines.map((line) => [textOf(line), ...line.links.map(({ text, url }) => `  ${text}: ${url}`)].join('\n')),
  ].join('\n\n')

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign)

export const htmlText = ({ title, lines }: Message): string =>
  `<h3>${escaped(title)}</h3>\n${lines
    .map(({ mark, zh, en, links }) => {
      const anchors = links.map(({ text, url }) => `<a href="${escaped(url)}">${escaped(text)}</a>`)
      return `<p>${escaped(`${mark} ${zh}`.trim())}<br>${escaped(en)}<br>${anchors.join(' · ')}</p>`
    })
    .join('\n')}`
