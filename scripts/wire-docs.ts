/**
 * The parts of docs/wire/ that the code owns: `npm run docs` writes them between `<!-- code: name -->` and `<!-- /code -->`, and
 * leaves the text around them as it is.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { NOTIFY_GIVE_UP_MS, NOTIFY_PAUSES_MS } from '@acopay/core'
import {
  ANSWER_FIELDS,
  BILL_ANSWERS,
  CLOSE_ANSWERS,
  ERRORS,
  type ErrorName,
  FIELDS,
  type FieldRule,
  type FieldShape,
  NOTIFICATION_FIELDS,
  NOTIFY_TIMEOUT_MS,
  OPERATIONS,
  REFUND_ANSWERS,
  STATE_ANSWERS,
} from '@acopay/protocol'
import { table } from './markdown-table.ts'
import { ADVICE, ANSWER_TEXTS, type CallName, REQUEST_TEXTS, SIGNATURE_TEXTS, type Tongue } from './wire-texts.ts'

const WIRE = path.resolve(import.meta.dirname, '../docs/wire')
const VECTORS = path.resolve(import.meta.dirname, '../packages/protocol/vectors/signature.json')

const PART = /(<!-- code: ([^>]+?) -->\n)[\s\S]*?(<!-- \/code -->)/g

/** Every page of docs/wire, by its file name below docs/, with its parts made anew. */
export function wireDocs(): Record<string, string> {
  const names = fs.readdirSync(WIRE).filter((name) => name.endsWith('.md'))
  return Object.fromEntries(names.map((name) => [`wire/${name}`, madeAnew(name)]))
}

function madeAnew(name: string): string {
  const tongue: Tongue = name.endsWith('.zh-CN.md') ? 'zh' : 'en'
  return fs
    .readFileSync(path.join(WIRE, name), 'utf8')
    .replace(PART, (_all, begin: string, what: string, end: string) => `${begin}\n${partOf(what, tongue)}\n\n${end}`)
}

/** `what` is the part's kind and, behind the first space, what it is about. */
function partOf(what: string, tongue: Tongue): string {
  const [kind = '', about = ''] = /^(\S+) ?(.*)$/.exec(what)?.slice(1) ?? []
  const make = PARTS[kind]
  if (make === undefined) throw new Error(`docs/wire: nothing makes "${what}"`)
  return make(about, tongue)
}

const PARTS: Record<string, (about: string, tongue: Tongue) => string> = {
  request: requestTable,
  answer: answerTable,
  row: rowTable,
  errors: errorTable,
  'all-errors': allErrorsTable,
  outcomes: outcomesTable,
  notification: notificationTable,
  retries: retriesText,
  example: (about) => examplePart(about),
}

const HEADS = {
  request: { zh: ['参数', '必填', '长度', '格式', '说明'], en: ['field', 'required', 'length', 'form', 'meaning'] },
  answer: { zh: ['字段', '值', '说明'], en: ['field', 'values', 'meaning'] },
  errors: {
    zh: ['status', 'message', '含义', '怎么办', '可否原样重试'],
    en: ['status', 'message', 'when', 'what to do', 'retry'],
  },
  outcomes: { zh: ['code', 'description'], en: ['code', 'description'] },
} as const satisfies Record<string, Record<Tongue, string[]>>

const YES = { zh: '是', en: 'yes' }
const NO = { zh: '否', en: 'no' }

function requestTable(about: string, tongue: Tongue): string {
  const rules: Record<string, FieldRule> = FIELDS[about as keyof typeof FIELDS]
  return table(
    [...HEADS.request[tongue]],
    Object.entries(rules).map(([name, { required, max, pattern }]) => [
      `\`${name}\``,
      (required ? YES : NO)[tongue],
      `≤ ${max}`,
      pattern === undefined ? '' : `\`${pattern.source.replaceAll('|', '\\|')}\``,
      REQUEST_TEXTS[name as keyof typeof REQUEST_TEXTS][tongue],
    ]),
  )
}

const valuesOf = ({ type, format, enum: words }: FieldShape): string => {
  const isNullable = Array.isArray(type)
  const value = words?.map((word) => `\`${word}\``).join(' ') ?? (format === 'date-time' ? 'RFC 3339 +08:00' : 'String')
  return `${value}${isNullable ? ', null' : ''}`
}

function answerTable(about: string, tongue: Tongue): string {
  return fieldTable(ANSWER_FIELDS[about as CallName], tongue)
}

/** The rows of the list that an answer has as a text of JSON. */
function rowTable(about: string, tongue: Tongue): string {
  const shapes: FieldShape[] = Object.values(ANSWER_FIELDS[about as CallName])
  const rows = shapes.find(({ contentSchema }) => contentSchema !== undefined)?.contentSchema?.items.properties ?? {}
  return fieldTable(rows, tongue, [])
}

const LATER = ['pay_channel', 'pay_method', 'refund_channel']

function fieldTable(shapes: Record<string, FieldShape>, tongue: Tongue, later = LATER): string {
  return table(
    [...HEADS.answer[tongue]],
    Object.entries(shapes).map(([name, shape]) => [
      `\`${name}\`${later.includes(name) ? ' *' : ''}`,
      valuesOf(shape),
      ANSWER_TEXTS[name as keyof typeof ANSWER_TEXTS][tongue],
    ]),
  )
}

const errorRows = (names: readonly ErrorName[], tongue: Tongue): string[][] =>
  names.map((name) => {
    const { status, retry } = ERRORS[name]
    return [String(status), `\`${name}\``, ERRORS[name][tongue], ADVICE[name][tongue], (retry ? YES : NO)[tongue]]
  })

function errorTable(about: string, tongue: Tongue): string {
  const own = OPERATIONS.find(({ name }) => name === about)?.refusals ?? []
  if (own.length > 0) return table([...HEADS.errors[tongue]], errorRows(own, tongue))
  return { zh: '没有自己的错误。', en: 'It has no error of its own.' }[tongue]
}

function allErrorsTable(_about: string, tongue: Tongue): string {
  return table([...HEADS.errors[tongue]], errorRows(Object.keys(ERRORS) as ErrorName[], tongue))
}

const named = (answers: Record<string, string>) =>
  Object.entries(answers).map(([code, description]) => ({ code, description }))

const OUTCOMES: Record<string, { code: string; description: string }[]> = {
  close: Object.values(CLOSE_ANSWERS),
  query: named(STATE_ANSWERS),
  refund: named(REFUND_ANSWERS),
  bill: Object.values(BILL_ANSWERS),
}

function outcomesTable(about: string, tongue: Tongue): string {
  const rows = (OUTCOMES[about] ?? []).map(({ code, description }) => [`\`${code}\``, description])
  return table([...HEADS.outcomes[tongue]], rows)
}

const FIRST = ['mch_no', 'nonce', 'sign_type', 'notify_time', 'sign']

function notificationTable(about: string, tongue: Tongue): string {
  const names = [...FIRST, ...NOTIFICATION_FIELDS[about as keyof typeof NOTIFICATION_FIELDS]]
  const meaning = (name: string): string =>
    (SIGNATURE_TEXTS[name] ?? ANSWER_TEXTS[name as keyof typeof ANSWER_TEXTS])[tongue]
  return table(
    [HEADS.answer[tongue][0], HEADS.answer[tongue][2]],
    names.map((name) => [`\`${name}\``, meaning(name)]),
  )
}

const UNITS = [
  { ms: 3_600_000, zh: '小时', en: 'h' },
  { ms: 60_000, zh: '分钟', en: 'min' },
  { ms: 1000, zh: '秒', en: 's' },
]

function durationText(ms: number, tongue: Tongue): string {
  const unit = UNITS.find((one) => ms >= one.ms) ?? { ms: 1, zh: '毫秒', en: 'ms' }
  return `${ms / unit.ms} ${unit[tongue]}`
}

function retriesText(_about: string, tongue: Tongue): string {
  const pauses = NOTIFY_PAUSES_MS.map((ms) => durationText(ms, tongue))
  const minutes = NOTIFY_PAUSES_MS.reduce((total, ms) => total + ms, 0) / 60_000
  const all = { hours: Math.floor(minutes / 60), minutes: minutes % 60 }
  const [wait, giveUp] = [durationText(NOTIFY_TIMEOUT_MS, tongue), durationText(NOTIFY_GIVE_UP_MS, tongue)]
  return {
    zh: `每次等待应答 ${wait}。失败之后的间隔依次为：${pauses.join('、')}；共 ${all.hours} 小时 ${all.minutes} 分钟，${pauses.length + 1} 次尝试。等待超过 ${giveUp}的通知（对方主机一直不通）不再发送。`,
    en: `Each try waits ${wait} for the answer. The pauses after failed tries: ${pauses.join(', ')}; ${all.hours} h ${all.minutes} min and ${pauses.length + 1} tries in all. A notification that has waited for ${giveUp} (its host was down all the time) is given up.`,
  }[tongue]
}

/** The request of the worked example, from the vectors that the official Java SDK made. */
export const EXAMPLE_NAME = 'order parameters for the web cashier'

function examplePart(about: string): string {
  const vectors = JSON.parse(fs.readFileSync(VECTORS, 'utf8'))
  const { params, canonical, sign } = vectors.requests.find(({ name }: { name: string }) => name === EXAMPLE_NAME)
  const { mch_no, nonce, sign_type, ...sent } = params
  const { aco_pay_sdk: _sdk, version: _version, ...business } = sent
  const bytes = Buffer.from(canonical, 'utf8')
  const json = (value: object): string => JSON.stringify(value, null, 2)
  const made: Record<string, [string, string]> = {
    sent: ['json', json(sent)],
    headers: ['text', `x-acopay-mch-no: ${mch_no}\nx-acopay-nonce: ${nonce}\nx-acopay-sign-type: ${sign_type}`],
    business: ['json', json(business)],
    signed: ['json', json({ ...business, mch_no, nonce, sign_type })],
    sorted: ['json', json(JSON.parse(canonical))],
    canonical: ['text', canonical],
    digest: ['text', `${bytes.length} bytes\nSHA-256 ${createHash('sha256').update(bytes).digest('hex')}`],
    sign: ['text', sign],
    'private-key': ['text', vectors.keys.merchantPrivateKey],
    'public-key': ['text', vectors.keys.merchantPublicKey],
    'answer-canonical': ['text', answerOf(vectors).canonical],
    'answer-sign': ['text', answerOf(vectors).sign],
    'answer-body': ['json', json({ ...answerOf(vectors).body, data: { ...answerOf(vectors).body.data, sign: '…' } })],
    'platform-public-key': ['text', vectors.keys.platformPublicKey],
  }
  const [tag, text] = made[about] ?? []
  if (text === undefined) throw new Error(`docs/wire: no example "${about}"`)
  return `\`\`\`${tag}\n${text}\n\`\`\``
}

type Answer = { name: string; canonical: string; sign: string; body: { data: object } }

const answerOf = (vectors: { responses: Answer[] }): Answer => {
  const found = vectors.responses.find(({ name }) => name === 'close refused because the order expired')
  if (found === undefined) throw new Error('the vectors lack the answer of docs/wire/signing.md')
  return found
}
