/** What the verbs read in the same way from an answer of Alipay's gateway. */
import { type Traced, type Unknown, unknown, wordOf } from '../contract.ts'
import { type AlipayAnswer, isComplaint } from './client.ts'

export const OK = '10000'
/** "业务处理失败": the request was understood and refused, with the reason in `sub_code`. */
const BUSINESS_FAILED = '40004'

/** The verb's answer with Alipay's number of the exchange, where Alipay gave one. */
export const traced = <Says extends object>({ requestId }: AlipayAnswer, says: Says): Says & Traced =>
  requestId === undefined ? says : { ...says, requestId }

/**
 * The reason of a refusal without its prefix: the manual writes the same word with `ACQ.` in one table and without it in
 * the next. Empty for every answer that is no refusal by the business behind the gateway, whatever its word.
 */
export const refusal = ({ code, subCode }: AlipayAnswer): string =>
  code === BUSINESS_FAILED ? subCode.replace(/^ACQ\./, '') : ''

/** True when Alipay says that it does not know the trade it was asked about. */
export const isTradeAbsent = (answer: AlipayAnswer): boolean => refusal(answer) === 'TRADE_NOT_EXIST'

/** For an answer that the manual does not define for this call: it may mean yes or no. */
export const undefinedAnswer = (answer: AlipayAnswer): Unknown & Traced =>
  traced(answer, {
    ...unknown(`${answer.code} ${answer.subCode}`.trim()),
    ...(answer.restMs === undefined ? {} : { restMs: answer.restMs }),
    ...(isComplaint(answer.code) && wordOf(answer.subCode) !== null ? { complaint: answer.subCode } : {}),
  })
