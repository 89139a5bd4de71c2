/** `acopay sign` and `acopay verify` */
import { explainSignature, type Signed, signRequest } from '@acopay/sdk'
import { type Command, EXIT, type Flags, type Io, table, textFlag, UsageError } from '../command.ts'
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
    const signed = await signRequest(params, { mchNo, mchPrivateKey, ...(nonce === undefined ? {} : { nonce }) })
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
  usage: '[--file FILE|-] [--public-key KEY] [--sign TEXT --nonce TEXT] [--text FILE]',
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
    // What the platform signed is held against its key; what a merchant signed needs that merchant's.
    const isPlatforms = signed.kind === 'answer' || signed.kind === 'notification'
    const publicKey =
      textFlag(flags, 'public-key') ??
      (isPlatforms ? readSettings(flags, io, ['platformPublicKey']).platformPublicKey : undefined)
    if (publicKey === undefined)
      throw new UsageError('需要商户公钥 --public-key (the public key of the merchant is needed)')
    const textFile = textFlag(flags, 'text')
    const otherText = textFile === undefined ? undefined : readText(io, textFile)
    const report = explain(signed, sign, publicKey, otherText)
    return {
      exit: report.isValid ? EXIT.done : EXIT.signature,
      json: { kind: signed.kind, ...report },
      lines: [
        report.isValid ? '签名正确 the signature verifies' : '签名不正确 the signature does not verify',
        ...report.findings.map(({ zh, en }) => `- ${zh} (${en})`),
        '',
        `应签名的文本 text to be signed (${KINDS[signed.kind]}):`,
        report.canonicalText,
        ...(report.signedDigest === null || report.isValid
          ? []
          : [
              '',
              ...table([
                ['应有的SHA-256 expected', report.digest],
                ['签名里的摘要 signed', report.signedDigest],
              ]),
            ]),
        ...(report.difference === null
          ? []
          : [
              '',
              `第一处不同在第${report.difference.at + 1}个字符 first difference at character ${report.difference.at + 1}:`,
              ...table([
                ['应为 expected', report.difference.expected],
                ['实际 actual', report.difference.actual],
              ]),
            ]),
      ],
    }
  },
}

function explain(...args: Parameters<typeof explainSignature>): ReturnType<typeof explainSignature> {
  try {
    return explainSignature(...args)
  } catch (error) {
    // The error names no part of a key.
    throw new UsageError(error instanceof Error ? error.message : 'cannot be explained')
  }
}

const KINDS: Record<Signed['kind'], string> = {
  request: '请求头签名 request, signed in its headers',
  order_params: '参数内签名 order parameters, signed in the body',
  answer: '应答 answer',
  notification: '通知 notification',
}

/** Tells by its members what a JSON object is: each kind is signed by a rule of its own. */
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
