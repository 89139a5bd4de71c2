/** `acopay evidence verify`: needs the file and the platform's public key, and nothing else. */
import { createHash } from 'node:crypto'
import { explainSignature, type Signed } from '@acopay/sdk'
import { type Command, EXIT, readable, table, textFlag, UsageError } from '../command.ts'
import { parseObject, readSettings, readText, SETTINGS_OPTIONS } from '../settings.ts'

const KIND = 'acopay order evidence v1'
const IN_PAGE = /<script type="application\/json" id="acopay-evidence">([^<]*)<\/script>/

type Envelope = Extract<Signed, { kind: 'answer' }>['envelope']
type Evidence = { statement: Envelope; timeline: string[] }

/** A page as the console gives it, or the JSON in it. */
function readEvidence(text: string, file: string): Evidence {
  const inPage = IN_PAGE.exec(text)?.[1]
  if (inPage === undefined && text.trimStart().startsWith('<'))
    throw new UsageError(`文件里没有凭证 (there is no evidence in this page): ${file}`)
  const { kind, statement, timeline } = parseObject(inPage ?? text, file) as Partial<Evidence> & { kind?: unknown }
  const data = statement?.data
  const isText = (one: unknown): boolean => typeof one === 'string'
  if (kind !== KIND || typeof data !== 'object' || data === null || !Array.isArray(timeline) || !timeline.every(isText))
    throw new UsageError(`不是订单凭证 (this is no evidence of an order): ${file}`)
  return { statement: statement as Envelope, timeline }
}

type Finding = { zh: string; en: string }

/** What is wrong besides the signature; empty where the timeline is the one that was signed, and says what the statement says. */
function findingsOf({ statement, timeline }: Evidence): Finding[] {
  const facts = (statement.data ?? {}) as Record<string, string | null>
  const findings: Finding[] = []
  const say = (zh: string, en: string): void => void findings.push({ zh, en })
  if (facts.evidence !== KIND) say('签名的内容不是订单凭证', 'what was signed is no evidence of an order')
  if (facts.timeline_length !== String(timeline.length))
    say(`时间线应有 ${facts.timeline_length} 条`, `the timeline should have ${facts.timeline_length} entries`)
  if (facts.timeline_hash !== hashOf(facts, timeline))
    say('时间线与签名的哈希不符', 'the timeline does not have the hash that was signed')
  const closed = timeline.map(entryOf).find(({ to }) => to === 'CLOSED')?.at
  if (seconds(facts.close_time) !== seconds(closed))
    say('关单时间与时间线不符', 'the time of the close is not the one in the timeline')
  return findings
}

/** As the gateway makes it: SHA-256 over the hash before and the bytes of the entry, from a hash that names the order. */
function hashOf({ mch_no, transaction_no }: Record<string, string | null>, timeline: string[]): string {
  const first = createHash('sha256').update(`acopay timeline v1\n${mch_no}\n${transaction_no}`).digest()
  return timeline
    .reduce((previous, entry) => createHash('sha256').update(previous).update(entry).digest(), first)
    .toString('hex')
}

function entryOf(entry: string): { to?: string; at?: string } {
  try {
    return JSON.parse(entry) as { to?: string; at?: string }
  } catch {
    return {}
  }
}

/** The whole seconds of a time; null for none. */
const seconds = (time: string | null | undefined): number | null =>
  time == null ? null : Math.floor(Date.parse(time) / 1000)

export const evidenceVerifyCommand: Command = {
  usage: 'FILE|- [--platform-public-key KEY]',
  zh: '离线验证管理台给出的订单凭证',
  en: 'verify the evidence of an order from the console, without the gateway',
  options: SETTINGS_OPTIONS,
  positional: 'file',
  async run(flags, io) {
    const file = textFlag(flags, 'file')
    if (file === undefined) throw new UsageError('缺少文件 (name the file of the evidence)')
    const evidence = readEvidence(readText(io, file), file)
    const { platformPublicKey } = readSettings(flags, io, ['platformPublicKey'])
    const facts = (evidence.statement.data ?? {}) as Record<string, string | null>
    const signed: Signed = { kind: 'answer', envelope: evidence.statement }
    const report = await readable(() => explainSignature(signed, String(facts.sign ?? ''), platformPublicKey))
    const findings = [...report.findings, ...findingsOf(evidence)]
    const isValid = report.isValid && findingsOf(evidence).length === 0
    const lines = [
      isValid ? '凭证有效 the evidence is valid' : '凭证无效 the evidence is not valid',
      ...(isValid ? [] : findings.map(({ zh, en }) => `- ${zh} (${en})`)),
      ...table([
        ['平台订单号 transaction_no', facts.transaction_no ?? null],
        ['商户订单号 mch_trade_no', facts.mch_trade_no ?? null],
        ['金额 amount', facts.amount_total ?? null],
        ['状态 state', facts.state ?? null],
        ['全部关闭 closed', facts.close_time ?? null],
        ['退回 sent back', facts.sent_back === '[]' ? null : (facts.sent_back ?? null)],
        ['出具于 issued', facts.made_at ?? null],
      ]),
    ]
    return { exit: isValid ? EXIT.done : EXIT.signature, json: { isValid, findings, facts }, lines }
  },
}
