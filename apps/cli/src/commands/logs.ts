/** `acopay logs`: the merchant's calls as the gateway saw them. */
import { AcoPay, type CallFilter, type LoggedCall } from '@acopay/sdk'
import { type Command, EXIT, type Flags, type Io, painted, textFlag, UsageError } from '../command.ts'
import { readSettings, SETTINGS_OPTIONS } from '../settings.ts'
import { visible } from './signature.ts'

export const logsCommand: Command = {
  usage: '[--tail] [--call "POST close"] [--status 1002] [--number NO] [--from TIME] [--before NEXT] [--wide]',
  zh: '网关看到的本商户的调用，以及验签时看到什么；--tail 持续显示',
  en: 'your calls as the gateway saw them, and what the check of the signature saw; --tail goes on until Ctrl-C',
  options: {
    ...SETTINGS_OPTIONS,
    tail: { type: 'boolean', says: '持续显示新的调用 go on with new calls until Ctrl-C' },
    wide: { type: 'boolean', says: '也显示通过验签的文本 show the text of what verified, too' },
    call: { type: 'string', says: '只看此接口 only this call, such as "POST close"' },
    status: { type: 'string', says: '只看此状态码 only this status, such as 1002' },
    number: { type: 'string', says: '只看此订单或退款 only this order or refund' },
    from: { type: 'string', says: '从此时起 only from this time on' },
    before: { type: 'string', says: '上一页的 NEXT the NEXT of the page before' },
  },
  async run(flags, io) {
    const pay = new AcoPay(readSettings(flags, io, ['baseUrl', 'mchNo', 'appNo', 'mchPrivateKey', 'platformPublicKey']))
    const filter = filterOf(flags)
    if (flags.tail === true) return tail(pay, filter, { flags, io })
    const page = await pay.listCalls(filter)
    const lines = page.calls.toReversed().flatMap((call) => linesOf(call, { flags, io }))
    const more = page.next === null ? [] : ['', `更早 earlier: --before ${page.next}`]
    return { exit: EXIT.done, json: page, lines: lines.length === 0 ? ['没有调用 no calls'] : [...lines, ...more] }
  },
}

function filterOf(flags: Flags): CallFilter {
  const [call, number, before] = [textFlag(flags, 'call'), textFlag(flags, 'number'), textFlag(flags, 'before')]
  const [status, from] = [textFlag(flags, 'status'), textFlag(flags, 'from')]
  if (status !== undefined && !/^\d{3,4}$/.test(status)) {
    throw new UsageError('--status 应为状态码，如1002 (should be a status, such as 1002)')
  }
  if (from !== undefined && Number.isNaN(Date.parse(from))) {
    throw new UsageError('--from 应为时间，如 2026-01-31T08:00:00+08:00 (should be a time)')
  }
  return {
    ...(call === undefined ? {} : { call }),
    ...(number === undefined ? {} : { number }),
    ...(before === undefined ? {} : { before }),
    ...(status === undefined ? {} : { status: Number(status) }),
    ...(from === undefined ? {} : { from: new Date(from) }),
  }
}

type Shown = { flags: Flags; io: Io }

const POLL_MS = 1000
/** Several gateways write a moment after the call, and their clocks differ: so long a call may still appear before one that was shown. */
const LATE_MS = 10_000
/** What is remembered of what was shown: more than the gateway keeps of one merchant in `LATE_MS`. */
const TOLD_MAX = 10_000

/** Begins with the last page, then asks each second for what is new. */
async function tail(pay: AcoPay, filter: CallFilter, { flags, io }: Shown): Promise<null> {
  const stopping = new AbortController()
  void io.untilStopped().then(() => stopping.abort())
  const fresh = unseen()
  let calls = (await pay.listCalls(filter)).calls
  while (!stopping.signal.aborted) {
    for (const call of fresh.of(calls)) {
      io.out(flags.json === true ? JSON.stringify(call) : linesOf(call, { flags, io }).join('\n'))
    }
    await io.pause(POLL_MS, stopping.signal)
    const from = fresh.newestMs() === 0 ? {} : { from: new Date(fresh.newestMs() - LATE_MS) }
    if (!stopping.signal.aborted) calls = await allSince(pay, { ...filter, ...from })
  }
  return null
}

/** Tells those calls, the oldest first, that it has not told before. */
function unseen(): { of: (calls: LoggedCall[]) => LoggedCall[]; newestMs: () => number } {
  const told = new Set<string>()
  let newestMs = 0
  return {
    newestMs: () => newestMs,
    of(calls) {
      const fresh = calls.toReversed().filter(({ requestId }) => !told.has(requestId))
      for (const { requestId, time } of fresh) {
        told.add(requestId)
        newestMs = Math.max(newestMs, time.getTime())
      }
      for (const oldest of [...told].slice(0, Math.max(0, told.size - TOLD_MAX))) told.delete(oldest)
      return fresh
    },
  }
}

const PAGES_MAX = 20

/** All pages, the newest call first. */
async function allSince(pay: AcoPay, { before: _, ...filter }: CallFilter): Promise<LoggedCall[]> {
  const calls: LoggedCall[] = []
  let next: string | null = null
  for (let page = 1; page <= PAGES_MAX; page += 1) {
    const found = await pay.listCalls(next === null ? filter : { ...filter, before: next })
    calls.push(...found.calls)
    next = found.next
    if (next === null) break
  }
  return calls
}

const SIGNATURES: Record<LoggedCall['signature'], string> = {
  VERIFIED: '验签通过 the signature verified',
  NOT_CHECKED: '请求体不是JSON对象，没有可验的文本 the body is no JSON object, so there was no text to verify against',
  NO_SIGNATURE: '签名不是标准Base64，或长度不对 the signature is not standard Base64, or of a wrong length',
  OTHER_KEY:
    '不是用网关登记的任何一把公钥对应的私钥签的（或用了PSS填充） made by none of the keys that the gateway has of you (or with PSS padding)',
  OTHER_DIGEST: '密钥对，摘要算法不是SHA-256 the right key, and another digest than SHA-256',
  OTHER_TEXT: '密钥对，签的是另一段文本 the right key, and another text',
}

function linesOf(call: LoggedCall, { flags, io }: Shown): string[] {
  const { leftOut, fieldErrors, signature, signedText, keyId } = call
  const isShown = signature !== 'VERIFIED' || flags.wide === true
  return [
    ...(leftOut === 0 ? [] : [`  … 另有 ${leftOut} 次调用太密，没有记下 more calls came too fast to be kept`]),
    headOf(call, io),
    ...(fieldErrors === null ? [] : [visible(`    ${fieldErrors}`)]),
    ...(signature === 'VERIFIED' ? [] : doubtLines(call)),
    ...(isShown && signedText !== null
      ? [visible(`    网关拼出的文本 text that the gateway built: ${signedText}`)]
      : []),
    ...(isShown && keyId !== null ? [`    公钥 key: ${keyId}`] : []),
  ]
}

/** The call in one line. Every answer of the API has the HTTP status 200: what went wrong is in the envelope. */
function headOf(call: LoggedCall, io: Io): string {
  const { time, call: what, status, message, code, ms, requestId } = call
  const result = visible(status === 200 ? `HTTP 200 ${code ?? ''}`.trimEnd() : `HTTP 200 ${status} ${message}`)
  const numbers = [call.transactionNo, call.mchTradeNo, call.refundNo, call.mchRefundNo].filter((one) => one !== null)
  const parts = [
    time.toISOString(),
    what,
    painted(io, styleOf(call), result),
    ...numbers.map(visible),
    `${ms} ms`,
    requestId,
  ]
  return parts.join('  ')
}

function styleOf({ status, signature }: LoggedCall): 'green' | 'yellow' | 'red' {
  if (status === 200) return 'green'
  return signature === 'VERIFIED' ? 'yellow' : 'red'
}

const doubtLines = ({ address, signature, finding }: LoggedCall): string[] => [
  `    未通过验签，来自 did not verify, from: ${visible(address)}（可能不是您 perhaps not you）`,
  `    ${SIGNATURES[signature]}`,
  ...(finding === null ? [] : [`    ${finding.zh} ${finding.en}`]),
]
