/** What the verbs read in the same way from an answer of Alipay's gateway. */
import { type Traced, type Unknown, unknown } from '../contract.ts'
import type { AlipayAnswer } from './client.ts'

export const OK = '10000'
export const TRADE_NOT_EXIST = 'ACQ.TRADE_NOT_EXIST'
/** "业务处理失败": the request was understood and refused, with the reason in `sub_code`. */
const BUSINESS_FAILED = '40004'
/** Reasons for a refusal after which Alipay may have carried the request out all the same. */
const IN_DOUBT = new Set(['ACQ.SYSTEM_ERROR', 'aop.ACQ.SYSTEM_ERROR', 'ACQ.UNKNOW_ERROR', ''])

/** The verb's answer with Alipay's number of the exchange, where Alipay gave one. */
export const traced = <Says extends object>({ requestId }: AlipayAnswer, says: Says): Says & Traced =>
  requestId === undefined ? says : { ...says, requestId }

/** True when Alipay surely did not carry the request out, and would not if it were repeated. */
export const isRefused = ({ code, subCode }: AlipayAnswer): boolean =>
  code === BUSINESS_FAILED && !IN_DOUBT.has(subCode)

/** For an answer that the manual does not define for this call: it may mean yes or no. */
export const undefinedAnswer = (answer: AlipayAnswer): Unknown & Traced =>
  traced(answer, unknown(`${answer.code} ${answer.subCode}`.trim()))
