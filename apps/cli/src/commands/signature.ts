/** `acopay sign` and `acopay verify` */
import { explainSignature, type SignatureReport, type Signed, signRequest } from '@acopay/sdk'
import { type Command, EXIT, type Flags, type Io, readable, table, textFlag, UsageError } from '../command.ts'
import { parseObject, readSettings, readText, SETTINGS_OPTIONS } from '../settings.ts'

const fileOf = (flags: Flags): string => textFlag(flags, 'file') ?? '-'

export const signCommand: Command = {
  usage: '[--file FILE|-] [--nonce TEXT]',
  zh: '对请求参数（JSON对象）签名，显示待签名文本',
  en: "sign a request's parameters (a JSON object) and show the signed text",
  options: { ...SETTINGS_OPTIONS, file: { type: 'string' }, nonce: { type: 'string' } },
  async run(flags, io) {
    const params = parseObject(readText(io, fileOf(flags)), fileOf(flags)) as Parameters<typeof signRequest>[0]
    const { mchNo, mchPrivateKey } = readSettings(flags, io, ['mchNo', 'mchPrivateKey'])
    const nonce = textFlag(flags, 'nonce')
    const by = { mchNo, mchPrivateKey, ...(nonce === undefined ? {} : { nonce }) }
    const signed = await readable(() => signRequest(params, by))
    return {
      exit: EXIT.done,
      json: signed,
      lines: [
        '待签名文本 signed text:',
        signed.canonicalText,
        '',
        ...Object.entries(signed.headers).map((pair) => pair.join(': ')),
      ],
    }
  },
}

export const verifyCommand: Command = {
  usage: '[--file FILE|-] [--public-key KEY] [--sign TEXT --nonce TEXT] [--text FILE|TEXT]',
  zh: '验证签名，并说明为什么不通过',
  en: 'check a signature, and explain why it does not verify',
  options: {
    ...SETTINGS_OPTIONS,
    file: { type: 'string' },
    'public-key': { type: 'string' },
    sign: { type: 'string' },
    nonce: { type: 'string' },
    text: { type: 'string' },
  },
  async run(flags, io) {
    const value = parseObject(readText(io, fileOf(flags)), fileOf(flags))
    const { signed, sign } = whatIsSigned(value, flags, io)
    // The platform's signatures need its key; a merchant's signature needs the merchant's key, which no setting holds.
    const isPlatforms = signed.kind === 'answer' || signed.kind === 'notification'
    const publicKey =
      textFlag(flags, 'public-key') ??
      (isPlatforms ? readSettings(flags, io, ['platformPublicKey']).platformPublicKey : undefined)
    if (publicKey === undefined)
      throw new UsageError('需要商户公钥 --public-key (the public key of the merchant is needed)')
    const theirs = textFlag(flags, 'text')
    // Every signed text begins with {, and file names do not.
    const otherText = theirs === undefined || theirs.startsWith('{') ? theirs : readText(io, theirs)
    const report = await readable(() => explainSignature(signed, sign, publicKey, otherText))
    return {
      exit: report.isValid ? EXIT.done : EXIT.signature,
      json: { kind: signed.kind, ...report },
      lines: linesOf(report, KINDS[signed.kind]),
    }
  },
}

function linesOf(report: SignatureReport, kind: string): string[] {
  const { isValid, findings, canonicalText, digest, signedDigest, difference, fields } = report
  const lines = [
    isValid ? '签名正确 the signature verifies' : '签名不正确 the signature does not verify',
    ...findings.map(({ zh, en }) => `- ${zh} (${en})`),
    '',
    `应签名的文本 text to be signed (${kind}):`,
    canonicalText,
  ]
  if (signedDigest !== null && !isValid) {
    const digests = table([
      ['应有的SHA-256 expected', digest],
      ['签名里的摘要 signed', signedDigest],
    ])
    lines.push('', ...digests)
  }
  if (difference !== null) {
    const character = difference.at + 1
    const sides = table([
      ['应为 expected', visible(difference.expected)],
      ['实际 actual', visible(difference.actual)],
    ])
    lines.push('', `第一处不同在第${character}个字符 first difference at character ${character}:`, ...sides)
    lines.push(...fields.map(({ name, expected, actual }) => `- ${name}: ${fieldText(expected, actual)}`))
  }
  return lines
}

function fieldText(expected: string | null, actual: string | null): string {
  if (actual === null) return `缺少，应为 missing, expected ${expected}`
  if (expected === null) return `多余 should not be there: ${actual}`
  return `应为 expected ${expected}，实际 actual ${actual}`
}

/** Writes line ends and other invisible characters as JSON escapes. */
export const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (letter) => {
    const short = JSON.stringify(letter).slice(1, -1)
    return short === letter ? `\\u${letter.codePointAt(0)?.toString(16).padStart(4, '0')}` : short
  })

const KINDS: Record<Signed['kind'], string> = {
  request: '请求头签名 request, signed in its headers',
  order_params: '参数内签名 order parameters, signed in the body',
  answer: '应答 answer',
  notification: '通知 notification',
}

/** Recognizes the kind of a JSON object by its members: each kind has its own rule for the signed text. */
function whatIsSigned(value: Record<string, unknown>, flags: Flags, io: Io): { signed: Signed; sign: string } {
  const members = value as Extract<Signed, { kind: 'notification' }>['body']
  if (typeof value.status === 'number' && typeof value.message === 'string') {
    const envelope = { fieldErrors: null, data: null, ...value } as unknown as Extract<
      Signed,
      { kind: 'answer' }
    >['envelope']
    return { signed: { kind: 'answer', envelope }, sign: textIn(envelope.data ?? {}, 'sign') }
  }
  const given = textFlag(flags, 'sign')
  if (given !== undefined) {
    const { mchNo } = readSettings(flags, io, ['mchNo'])
    const nonce = textFlag(flags, 'nonce')
    if (nonce === undefined)
      throw new UsageError('缺少 --nonce，即 x-acopay-nonce 请求头 (give the header x-acopay-nonce as --nonce)')
    return { signed: { kind: 'request', params: members, mchNo, nonce }, sign: given }
  }
  const kind = 'notify_time' in value ? 'notification' : 'order_params'
  const sign = textIn(members, 'sign')
  return { signed: kind === 'notification' ? { kind, body: members } : { kind, params: members }, sign }
}

function textIn(members: Record<string, unknown>, name: string): string {
  const text = members[name]
  if (typeof text === 'string') return text
  throw new UsageError(
    `JSON中没有${name}；请求头里的签名请用 --sign 给出 (no ${name} in the JSON; give a header's signature as --sign)`,
  )
}
