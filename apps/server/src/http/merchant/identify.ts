/**
 * Identifies the merchant that calls, and checks whether it may. The checks run in the order of spec/protocol.md, section 4:
 * headers complete → merchant known → signature → merchant enabled → address allowed → rate. Only a caller whose signature
 * verified is answered with a signature.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import {
  type JsonObject,
  numberRefusal,
  orderParamsText,
  type Refusal,
  refuse,
  requestText,
  SIGN_TYPE,
  verifyText,
} from '@acopay/protocol'
import type { Merchant } from '@acopay/store/read'
import type { World } from '../../world.ts'
import { isAllowed } from '../allowed-addresses.ts'
import type { RateLimit } from '../rate-limit.ts'
import type { Caller } from './exchange.ts'
import { publicKey } from './key-cache.ts'
import type { Seen } from './note-call.ts'
import type { Params } from './read-params.ts'

export type Call = Params & { headers: IncomingHttpHeaders; address: string; bodySigned: boolean }

/**
 * `proven`: the signature verified, also where the call is refused for another reason; null where it did not. `seen`, for the log of
 * calls: null where no merchant is named that there is.
 */
export type Identified = ({ proven: Caller; refusal: Refusal | null } | { proven: null; refusal: Refusal }) & {
  seen: Seen | null
}

type Claim = { mchNo: string; nonce: string; sign: string; isInBody: boolean }

const NO_JSON = refuse('PARAM_ERROR', '请求体应为JSON对象')

export async function identify(world: World, call: Call, perMerchant: RateLimit): Promise<Identified> {
  const claim = readClaim(call)
  if ('refused' in claim) return stranger(claim)
  const { merchant, isKept } = await world.merchants.find(claim.mchNo)
  const identified = judged(merchant, call, claim)
  // A key that was added, a merchant that was enabled and a list that was made longer since it was read count now.
  const isInDoubt = isKept && identified.refusal !== null && identified.seen?.texts.length !== 0
  const latest = isInDoubt ? await world.merchants.read(claim.mchNo) : merchant
  return withinRate(isDeepStrictEqual(latest, merchant) ? identified : judged(latest, call, claim), perMerchant)
}

/** All but the rate, which every call is counted for once. */
function judged(merchant: Merchant | null, call: Call, claim: Claim): Identified {
  if (merchant === null) return stranger(refuse('MCH_NOT_EXIST'))
  const seen = { merchant, texts: [], sign: claim.sign, proof: null }
  if (call.params === null) return stranger(NO_JSON, seen)
  const texts = textsOf({ ...call, params: call.params }, claim)
  if (texts === null) return stranger(refuse('PARAM_ERROR', '请求体嵌套过深'), seen)
  const proof = proofOf(merchant, texts, claim.sign)
  if (proof === null) return stranger(numberRefusal(call.params) ?? refuse('SIGN_ERROR'), { ...seen, texts })
  // A body that carries its signature is posted from the payer's browser. The list holds the merchant's servers.
  const address = claim.isInBody ? null : call.address
  const refusal = refusalOf(merchant, address)
  const knowsChannelFields = typeof call.params.aco_pay_sdk === 'string'
  return {
    proven: { mchNo: merchant.mchNo, nonce: claim.isInBody ? null : claim.nonce, knowsChannelFields },
    refusal,
    seen: { ...seen, texts, proof },
  }
}

const stranger = (refusal: Refusal, seen: Seen | null = null): Identified => ({ refusal, proven: null, seen })

/** The first key and text for which the signature verifies. */
function proofOf({ publicKeys }: Merchant, texts: string[], sign: string): Seen['proof'] {
  for (const key of publicKeys) {
    const text = texts.find((one) => verifyText(one, sign, publicKey(key)))
    if (text !== undefined) return { key, text }
  }
  return null
}

const SIGNATURE_FIELDS = ['mch-no', 'nonce', 'sign-type', 'sign'] as const

/** The caller's claim: from the four headers or, where all four are missing, from the body. */
function readClaim(call: Call): Claim | Refusal {
  const inHeaders = SIGNATURE_FIELDS.map((field) => call.headers[`x-acopay-${field}`])
  const isInBody = call.bodySigned && inHeaders.every((value) => value === undefined)
  if (isInBody && call.params === null) return NO_JSON
  const values: unknown[] = isInBody
    ? SIGNATURE_FIELDS.map((field) => call.params?.[field.replace('-', '_')])
    : inHeaders
  const place = (index: number): string => {
    const field = SIGNATURE_FIELDS[index] as string
    return isInBody ? field.replace('-', '_') : `x-acopay-${field}`
  }
  const missing = values.findIndex((value) => typeof value !== 'string' || value === '')
  if (missing >= 0) {
    const refusal = isInBody && call.params !== null ? numberRefusal(call.params) : null
    return refusal ?? refuse('SIGN_ERROR', `缺少 ${place(missing)}`)
  }
  const [mchNo, nonce, signType, sign] = values as [string, string, string, string]
  if (signType !== SIGN_TYPE) return refuse('SIGN_ERROR', `${place(2)} 应为 ${SIGN_TYPE}`)
  if (nonce.length > 32 || nonce.includes('\0')) return refuse('SIGN_ERROR', `${place(1)} 应为1至32个字符`)
  if (!/^[0-9A-Za-z_-]{1,32}$/.test(mchNo)) return refuse('MCH_NOT_EXIST')
  return { mchNo, nonce, sign, isInBody }
}

/**
 * The texts of which the caller signed one: a number's is as it was written, or as JavaScript writes it, which a page may have
 * done on the way. Null when the parameters are nested too deeply.
 */
function textsOf(
  { params, apart }: Params & { params: JsonObject },
  { mchNo, nonce, isInBody }: Claim,
): string[] | null {
  const write = (signed: JsonObject, numbers?: string[]): string =>
    isInBody ? orderParamsText(signed, numbers) : requestText(signed, { mchNo, nonce, signType: SIGN_TYPE }, numbers)
  try {
    if (apart === null) return [write(params)]
    const { value, numbers } = apart
    const asWritten = [numbers, numbers.map((number) => String(Number(number)))]
    return asWritten.map((texts) => write(value as JsonObject, texts))
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** `address` is null where the merchant's list of addresses does not apply. */
function refusalOf({ isEnabled, allowedIps }: Merchant, address: string | null): Refusal | null {
  if (!isEnabled) return refuse('MCH_DISABLED')
  const isForbidden = address !== null && allowedIps.length > 0 && !isAllowed(allowedIps, address)
  return isForbidden ? refuse('IP_FORBIDDEN') : null
}

function withinRate(identified: Identified, perMerchant: RateLimit): Identified {
  const { proven, refusal, seen } = identified
  if (proven === null || refusal !== null || seen === null) return identified
  const { mchNo, ratePerSecond } = seen.merchant
  return perMerchant.allows(mchNo, ratePerSecond) ? identified : { ...identified, refusal: refuse('FREQUENCY_LIMIT') }
}
