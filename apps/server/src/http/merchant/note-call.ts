/** What the log of a merchant's calls gets of a call, once its answer has left. */
import { createHash } from 'node:crypto'
import { type AnswerData, ERRORS, insideSignature, isRefusal, type JsonObject, type Refusal } from '@acopay/protocol'
import type { CallKind, LoggedCall, Merchant, SignatureSeen } from '@acopay/store/read'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { growingTo } from '../../growing-to.ts'
import type { World } from '../../world.ts'
import { isAllowed } from '../allowed-addresses.ts'
import { rateLimit } from '../rate-limit.ts'
import type { Endpoint } from './exchange.ts'
import { publicKey } from './key-cache.ts'

/** What `identify` saw of a signature by which someone claims to be this merchant. */
export type Seen = {
  merchant: Merchant
  /** The texts that the gateway built, of which the first is shown; none where the body could not be read. */
  texts: string[]
  sign: string
  /** The key that verified it, and the text that it verified; null where it did not verify. */
  proof: { key: string; text: string } | null
}

/** A call on its way: `answer` null until there is one. */
export type Call = {
  endpoint: Endpoint
  seen: Seen
  params: JsonObject | null
  answer: AnswerData | Refusal | null
  transactionNo: string | undefined
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What the log of the merchant's calls gets; null where no merchant is named. */
    call: Call | null
  }
}

/** Calls a second of one merchant that are kept, by kind, and of one address that has not proven to be the merchant. */
const KEPT_PER_SECOND: Record<CallKind, number> = { done: 10, refused: 10, unproven: 10 }
const STRANGER_PER_SECOND = 2

/** A longer text is no order of the contract: all its fields together have some thousand characters. */
const TEXT_MAX = 2048
const MERCHANTS_MAX = 10_000

export function callNoter(world: World): (request: FastifyRequest, reply: FastifyReply) => void {
  const nowMs = () => world.now().getTime()
  const perKind = rateLimit(0, nowMs)
  const perStranger = rateLimit(STRANGER_PER_SECOND, nowMs)
  /** How many calls were left out since the last one that was kept. */
  const leftOut = new LRUCache<string, number>(growingTo(MERCHANTS_MAX))

  return (request, reply) => {
    const { call } = request
    // The log's own readers would fill it.
    if (!world.callLog.isOn || call === null || call.endpoint.path === 'calls') return
    const { merchant, proof } = call.seen
    const kind = kindOf(call)
    if (kind === 'unproven' && merchant.allowedIps.length > 0 && !isAllowed(merchant.allowedIps, request.ip)) return
    const key = `${kind} ${merchant.mchNo}`
    const isTooMuch =
      (proof === null && !perStranger.allows(`${key} ${request.ip}`, null)) ||
      !perKind.allows(key, KEPT_PER_SECOND[kind])
    if (isTooMuch) return void leftOut.set(key, (leftOut.get(key) ?? 0) + 1)
    const about = { at: world.now(), requestId: request.id, address: request.ip, ms: Math.round(reply.elapsedTime) }
    world.callLog.add(merchant.mchNo, kind, { ...about, ...entryOf(call), leftOut: leftOut.get(key) ?? 0 })
    leftOut.delete(key)
  }
}

const kindOf = ({ seen, answer }: Call): CallKind => {
  if (seen.proof === null) return 'unproven'
  return answer === null || isRefusal(answer) ? 'refused' : 'done'
}

function entryOf(call: Call): Omit<LoggedCall, 'at' | 'requestId' | 'address' | 'ms' | 'leftOut'> {
  const { endpoint, seen, params, transactionNo } = call
  // Without an answer the time ran out, and the caller was told 1500.
  const answer: AnswerData | Refusal = call.answer ?? { refused: 'SYSTEM_ERROR', fieldErrors: null }
  const refusal = isRefusal(answer) ? answer : null
  const number = (name: string): string | null =>
    numberIn(refusal === null ? (answer as AnswerData) : {}, name) ?? numberIn(params ?? {}, name)
  return {
    call: `${endpoint.method} ${endpoint.path}`,
    transactionNo: transactionNo ?? number('transaction_no'),
    mchTradeNo: number('mch_trade_no'),
    refundNo: number('refund_no'),
    mchRefundNo: number('mch_refund_no'),
    status: refusal === null ? 200 : ERRORS[refusal.refused].status,
    message: refusal?.refused ?? 'SUCCESS',
    fieldErrors: refusal?.fieldErrors ?? null,
    code: refusal === null ? ((answer as AnswerData).code ?? null) : null,
    ...(seen.proof === null
      ? unproven(seen, params)
      : {
          signature: 'VERIFIED',
          keyId: keyIdOf(seen.proof.key),
          signedText: shown(seen.proof.text),
          sent: null,
          signedDigest: null,
        }),
  }
}

/** A number as numbers are written; what else a stranger sends under its name is not kept. */
function numberIn(members: { [name: string]: unknown }, name: string): string | null {
  const value = Object.hasOwn(members, name) ? members[name] : undefined
  return typeof value === 'string' && /^[\w-]{1,50}$/.test(value) ? value : null
}

type SignatureEntry = Pick<LoggedCall, 'keyId' | 'signedText' | 'sent' | 'signedDigest'> & { signature: SignatureSeen }

/**
 * Why it does not verify. The signature itself is not kept: of a text that was changed on the way it is good for the text that was
 * signed. The digest in it is good for nothing but to be compared.
 */
function unproven({ merchant, texts, sign }: Seen, params: JsonObject | null): SignatureEntry {
  const signedText = texts[0] === undefined ? null : shown(texts[0])
  const sent = params === null ? null : shown(JSON.stringify(params))
  const nothing = { keyId: null, signedText, sent, signedDigest: null }
  if (texts.length === 0) return { ...nothing, signature: 'NOT_CHECKED' }
  if (!/^[0-9A-Za-z+/]{340,684}={0,2}$/.test(sign)) return { ...nothing, signature: 'NO_SIGNATURE' }
  for (const key of merchant.publicKeys) {
    const inside = insideSignature(Buffer.from(sign, 'base64'), publicKey(key))
    if (inside === null) continue
    const isOtherText = inside.hash === 'SHA-256'
    const signedDigest = isOtherText ? inside.digest : null
    return { ...nothing, keyId: keyIdOf(key), signedDigest, signature: isOtherText ? 'OTHER_TEXT' : 'OTHER_DIGEST' }
  }
  return { ...nothing, signature: 'OTHER_KEY' }
}

/** Cut, and without what PostgreSQL cannot store. */
const shown = (text: string): string => Buffer.from(text.slice(0, TEXT_MAX)).toString('utf8').replaceAll('\0', '')

const keyIdOf = (key: string): string =>
  createHash('sha256').update(Buffer.from(key, 'base64')).digest('hex').slice(0, 16)
