/** The gateway: whether it can be reached, its certificate, its clock, and one signed call there and back. */
import { connect } from 'node:tls'
import { AcoPay, ApiError, newTradeNo, publicKeyFrom, SignatureError } from '@acopay/sdk'
import { EXIT, type Io } from '../command.ts'
import type { Name } from '../settings.ts'
import { type Check, doubtful, ok, skipped, type Texts, wrong } from './check.ts'
import { keyIdOf } from './keys.ts'

const TIMEOUT_MS = 10_000

const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\])$/

export async function checkGateway(
  settings: Record<Name, string | null>,
  { io, mayCall }: { io: Io; mayCall: boolean },
): Promise<Check[]> {
  const { baseUrl } = settings
  if (baseUrl === null) return []
  const url = URL.canParse(baseUrl) ? new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const says = { zh: '不是网址', en: 'is no address' }
    return [
      wrong('baseUrl 网关地址', EXIT.usage, says, {
        zh: '应如 https://pay.example.com',
        en: 'should be like https://pay.example.com',
      }),
    ]
  }
  const reached = await reach(url, io)
  const call = mayCall && reached.isThere ? await roundTrip(settings as Record<Name, string>) : SKIPPED
  return [
    ...reached.checks,
    ...(url.protocol === 'https:' && reached.isThere ? [await certificate(url, io)] : []),
    call,
  ]
}

const TRIP = '签名往返 signed round trip'
const SKIPPED = skipped(TRIP, { zh: '前面的问题解决后再试', en: 'tried when what is wrong above is put right' })

async function reach(url: URL, io: Io): Promise<{ isThere: boolean; checks: Check[] }> {
  const startedMs = io.nowMs()
  let answer: Response
  try {
    answer = await fetch(new URL('healthz', url), { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    await answer.arrayBuffer()
  } catch (error) {
    return { isThere: false, checks: [unreachable(url, error)] }
  }
  const endedMs = io.nowMs()
  const name = '连接 connection'
  if (answer.status !== 200) {
    const says = { zh: `${url.origin} 回答 HTTP ${answer.status}`, en: `${url.origin} answers HTTP ${answer.status}` }
    const todo = { zh: 'baseUrl 可能不对，或代理没有转发', en: 'baseUrl may be wrong, or a proxy does not pass it on' }
    return { isThere: false, checks: [wrong(name, EXIT.connection, says, todo)] }
  }
  const mode =
    answer.headers.get('x-acopay-mode') === 'sandbox' ? { zh: '沙箱', en: 'sandbox' } : { zh: '生产', en: 'production' }
  const ms = endedMs - startedMs
  const there = ok(name, { zh: `${url.origin} ${mode.zh}，${ms} 毫秒`, en: `${url.origin}, ${mode.en}, ${ms} ms` })
  const plain = url.protocol === 'http:' && !LOOPBACK.test(url.hostname) ? [PLAIN] : []
  return { isThere: true, checks: [there, ...plain, clock(answer.headers.get('date'), (startedMs + endedMs) / 2)] }
}

const PLAIN = doubtful(
  '加密 encryption',
  { zh: '没有用HTTPS，途中可读可改', en: 'no HTTPS: who is on the way can read along' },
  { zh: '把 baseUrl 换成 https://', en: 'give baseUrl as https://' },
)

/** Codes of Node for what is wrong, and what to do. */
const CAUSES: [codes: RegExp, todo: Texts][] = [
  [
    /ENOTFOUND|EAI_AGAIN/,
    { zh: '主机名查不到：检查 baseUrl 和DNS', en: 'the name is not known: look at baseUrl and DNS' },
  ],
  [
    /ECONNREFUSED/,
    {
      zh: '没有程序监听此端口：网关在运行吗？端口对吗？',
      en: 'nothing listens on this port: does the gateway run, is the port right?',
    },
  ],
  [
    /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|EPROTO|SSL/,
    {
      zh: '证书不可信：改正证书，自建CA用 NODE_EXTRA_CA_CERTS 给出；不要关闭校验',
      en: 'the certificate is not trusted: put it right, or name your own CA in NODE_EXTRA_CA_CERTS; do not switch the check off',
    },
  ],
]
const OTHERWISE = { zh: '检查网络、防火墙和代理', en: 'look at the network, firewalls and proxies' }

function unreachable(url: URL, error: unknown): Check {
  const { cause, name } = error as Error & { cause?: NodeJS.ErrnoException }
  const code = cause?.code ?? cause?.message ?? name
  const todo = CAUSES.find(([codes]) => codes.test(code))?.[1] ?? OTHERWISE
  return wrong(
    '连接 connection',
    EXIT.connection,
    { zh: `连不上 ${url.origin}：${code}`, en: `no connection to ${url.origin}: ${code}` },
    todo,
  )
}

/** Answers tell whole seconds. Notifications are believed for a while after they were signed, by the merchant's clock. */
const CLOCK_DOUBT_MS = 30_000

function clock(date: string | null, nowMs: number): Check {
  const name = '时钟 clock'
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return skipped(name, { zh: '网关没有说时间', en: 'the gateway did not tell the time' })
  const seconds = Math.round((nowMs - theirs) / 1000)
  const says = {
    zh: `本机比网关${seconds < 0 ? '慢' : '快'} ${Math.abs(seconds)} 秒`,
    en: `this machine is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the gateway`,
  }
  if (Math.abs(seconds) * 1000 <= CLOCK_DOUBT_MS) return ok(name, says)
  return doubtful(name, says, {
    zh: '打开本机的NTP校时；过期时间和通知的新旧按时钟判断',
    en: 'let NTP set the clock: expiry times and the age of notifications are judged by it',
  })
}

const DAY_MS = 86_400_000
const EXPIRY_DOUBT_DAYS = 14

/** The certificate's end, and the version of TLS. `fetch` has found it good, else there were no connection. */
function certificate(url: URL, io: Io): Promise<Check> {
  const name = 'TLS'
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const socket = connect({ host, port: Number(url.port || 443), servername: host, timeout: TIMEOUT_MS }, () => {
      const endMs = Date.parse(socket.getPeerCertificate().valid_to)
      const days = Math.floor((endMs - io.nowMs()) / DAY_MS)
      const says = {
        zh: `${socket.getProtocol()}，证书还有 ${days} 天`,
        en: `${socket.getProtocol()}, the certificate is good for ${days} days`,
      }
      const isSoon = days < EXPIRY_DOUBT_DAYS
      resolve(
        isSoon
          ? doubtful(name, says, { zh: '提醒平台更换证书', en: 'remind the platform to renew it' })
          : ok(name, says),
      )
      socket.end()
    })
    const unseen = (): void => {
      resolve(skipped(name, { zh: '看不到证书', en: 'the certificate could not be looked at' }))
      socket.destroy()
    }
    socket.on('error', unseen).on('timeout', unseen)
  })
}

/** Queries an order that cannot be there: the right answer is 1007, signed. */
async function roundTrip(settings: Record<Name, string>): Promise<Check> {
  let answeredBy: string | null = null
  const seen: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    answeredBy = response.headers.get('x-acopay-platform-key')
    return response
  }
  try {
    await new AcoPay({ ...settings, fetch: seen, tries: 1 }).queryOrder({
      mchTradeNo: `doctor${newTradeNo().slice(0, 26)}`,
    })
    return signed(answeredBy)
  } catch (error) {
    if (error instanceof ApiError && error.status === 1007 && error.isSigned) return signed(answeredBy)
    if (error instanceof ApiError) return refused(error, settings)
    return error instanceof SignatureError ? forged(error, { answeredBy, settings }) : failed(error)
  }
}

const signed = (keyId: string | null): Check =>
  ok(TRIP, {
    zh: `网关认得您的签名，您认得它的（密钥 ${keyId}）`,
    en: `the gateway knows your signature, and you know its own (key ${keyId})`,
  })

function refused({ status, code, message }: ApiError, { mchNo }: Record<Name, string>): Check {
  const advice = ADVICE[status] ?? { zh: '见 docs/errors.md', en: 'see docs/errors.md' }
  return wrong(TRIP, EXIT.apiError, { zh: `${status} ${code}，商户 ${mchNo}`, en: message }, advice)
}

/** What to do about a refusal, for the caller's own setup; docs/errors.md has all errors. */
const ADVICE: Record<number, Texts> = {
  1002: {
    zh: '网关没有这把私钥的公钥：把公钥交给平台（编号见上），或换成平台登记的那把私钥',
    en: 'the gateway does not have the public half of this key: give it to the platform (its id is above), or use the key that the platform knows',
  },
  1003: {
    zh: '没有这个商户号：检查 mchNo 与 baseUrl 是否属于同一环境',
    en: 'there is no such merchant: do mchNo and baseUrl belong to the same gateway?',
  },
  1004: { zh: '商户已停用：联系平台', en: 'the merchant is disabled: ask the platform' },
  1017: { zh: '过于频繁，稍后再试', en: 'too many requests: try again later' },
  1018: {
    zh: '本机地址不在商户的白名单里：请平台加入',
    en: "this machine's address is not on the merchant's list: ask the platform to add it",
  },
}

type Answered = { answeredBy: string | null; settings: Record<Name, string> }

function forged({ message }: SignatureError, { answeredBy, settings }: Answered): Check {
  const own = keyIdOf(publicKeyFrom(settings.platformPublicKey))
  // Some ids are names, such as that of the first key. What is no digest cannot be held against yours.
  const isOther = answeredBy !== null && /^[0-9a-f]{16}$/.test(answeredBy) && answeredBy !== own
  const ids = isOther
    ? { zh: `；网关用 ${answeredBy} 签，您的是 ${own}`, en: `; the gateway signs with ${answeredBy}, yours is ${own}` }
    : { zh: '', en: '' }
  return wrong(
    TRIP,
    EXIT.signature,
    { zh: `应答未通过验签${ids.zh}`, en: `${message}${ids.en}` },
    {
      zh: '向平台索取现用的平台公钥，换掉 platformPublicKey',
      en: 'ask the platform for the key that signs now, and give it as platformPublicKey',
    },
  )
}

function failed(error: unknown): Check {
  const { message } = error instanceof Error ? error : new Error(String(error))
  return wrong(TRIP, EXIT.connection, { zh: '没有得到应答', en: message }, OTHERWISE)
}
