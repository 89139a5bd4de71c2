/** The words of `code` in each call's answer, in both languages. */
import type { AnswerName } from '../answer-fields.ts'
import { BILL_ANSWERS, REFUND_ANSWERS, STATE_ANSWERS } from '../answers.ts'
import type { Texts } from './calls.ts'

const STATES: Record<keyof typeof STATE_ANSWERS, string> = {
  NOTPAY: 'not paid',
  CLOSING: 'being closed',
  CLOSED: 'closed, never paid',
  SUCCESS: 'paid',
  REFUND: 'paid, and refunded in part or in full',
}

const REFUNDS: Record<keyof typeof REFUND_ANSWERS, string> = {
  PROCESSING: 'under way',
  SUCCESS: 'refunded',
  FAIL: 'refused by the upstream for good',
}

const BILLS: Record<keyof typeof BILL_ANSWERS, string> = {
  SUCCESS: 'the bill can be fetched',
  NO_BILL: 'no trade on that day',
  BILL_NOT_EXIST: 'not made yet',
}

const listed = <Word extends string>(zh: Record<Word, string>, en: Record<Word, string>): Texts => {
  const words = Object.keys(zh) as Word[]
  return {
    zh: words.map((word) => `${word} ${zh[word]}`).join('，'),
    en: words.map((word) => `${word}: ${en[word]}`).join('; '),
  }
}

const BILL_ZH = Object.fromEntries(Object.entries(BILL_ANSWERS).map(([word, one]) => [word, one.description]))

const DONE: Texts = { zh: 'SUCCESS 成功', en: 'SUCCESS: done' }

export const CODE_TEXTS: Record<AnswerName, Texts> = {
  'post trade': DONE,
  'get trade': listed(STATE_ANSWERS, STATES),
  'post close': {
    zh: 'SUCCESS 已关闭；FAIL 见 description',
    en: 'SUCCESS: closed, never paid; FAIL: see description',
  },
  'get close/evidence': { zh: 'CLOSED 已关闭', en: 'CLOSED: closed, never paid' },
  'post refund': listed(REFUND_ANSWERS, REFUNDS),
  'get refund': listed(REFUND_ANSWERS, REFUNDS),
  'get bill': listed(BILL_ZH as Record<keyof typeof BILL_ANSWERS, string>, BILLS),
  'get orders': DONE,
  'get refunds': DONE,
  'get notifications': DONE,
  'get notifications/tries': DONE,
  'post notifications/resend': DONE,
  'get calls': DONE,
}
