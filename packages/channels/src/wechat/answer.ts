/** What the verbs read in the same way from an answer of WeChat Pay. */
import { type Traced, type Unknown, unknown } from '../contract.ts'
import type { WechatAnswer } from './client.ts'
import type { Party } from './party.ts'

const NO_TRADE = new Set(['ORDER_NOT_EXIST', 'ORDERNOTEXIST', 'RESOURCE_NOT_EXISTS'])

/** The verb's answer with WeChat Pay's number of the exchange, where WeChat Pay gave one. */
export const traced = <Says extends object>({ requestId }: WechatAnswer, says: Says): Says & Traced =>
  requestId === undefined ? says : { ...says, requestId }

/** True when WeChat Pay says that it does not know the transaction it was asked about. */
export const isTradeAbsent = ({ code }: WechatAnswer): boolean => NO_TRADE.has(code)

/** For an answer that the manual does not define for this call: it may mean yes or no. */
export const undefinedAnswer = (answer: WechatAnswer): Unknown & Traced =>
  traced(answer, {
    ...unknown(`HTTP ${answer.status} ${answer.code}`.trim()),
    ...(answer.restMs === undefined ? {} : { restMs: answer.restMs }),
  })

/** The path of an attempt's transaction. */
export const transactionPath = ({ transactions }: Party, attemptNo: string): string =>
  `${transactions}/out-trade-no/${encodeURIComponent(attemptNo)}`

/** The path of a payment's transaction. */
export const paymentPath = ({ transactions }: Party, paymentNo: string): string =>
  `${transactions}/id/${encodeURIComponent(paymentNo)}`
