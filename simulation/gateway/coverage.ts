/** What a thousand seeds must cover: every usable cell of the order's table, and every fault in every phase. */
import { FAULTS, VERBS } from './network.ts'

const FAULTS_OF_VERBS = [
  'request lost',
  'answer lost',
  'answer late',
  'failed before',
  'failed after',
  'answer forged',
  'odd answer',
] as const

const TRANSITIONS = [
  'pay_started NOTPAY → NOTPAY',
  'close_asked NOTPAY → CLOSED',
  'close_asked NOTPAY → CLOSING',
  'expired NOTPAY → CLOSED',
  'expired NOTPAY → CLOSING',
  'all_shut CLOSING → CLOSED',
  'money_arrived NOTPAY → SUCCESS keep',
  'money_arrived CLOSING → SUCCESS keep',
  'money_arrived CLOSED → CLOSED reverse',
  'money_arrived SUCCESS → SUCCESS reverse',
  'money_arrived NOTPAY → NOTPAY reverse',
  'money_arrived CLOSING → CLOSING reverse',
  'money_arrived REFUND → REFUND reverse',
  'money_returned SUCCESS → REFUND',
  'refund_asked SUCCESS → SUCCESS',
  'refund_asked REFUND → REFUND',
  'refund_done SUCCESS → REFUND',
  'refund_done REFUND → REFUND',
  'refund_failed SUCCESS → SUCCESS',
]

const QUIRKS = [
  'a code that is no trade yet',
  'a query of what does not exist',
  'a closed trade that says it is open',
  'a paid trade that says it is closed',
  'a yes to closing what does not exist',
  'a close of a code that stays payable',
  'a refund asked for again',
  'an unpaid trade with a date of payment',
]

const CLOSES = ['closed', 'expired', 'paid', 'closing']

const EXPECTED = [
  ...TRANSITIONS.map((cell) => `transition ${cell}`),
  ...VERBS.flatMap((verb) => FAULTS_OF_VERBS.map((fault) => `fault ${fault} × ${verb}`)),
  'fault request late × close',
  'fault request late × refund',
  'fault create lands late × open',
  'fault close shown late × close',
  'fault close does nothing × close',
  'fault refund under way × refund',
  'fault refund refused × refund',
  'fault other number × query',
  'fault other number × refund',
  'fault other number × queryRefund',
  'fault bill forged × bill',
  'fault wrong amount × pay',
  'fault paid although closed × pay',
  'fault paid twice × pay',
  'fault returned at once × pay',
  'fault merchant down × notification',
  ...FAULTS.filter((fault) => fault.startsWith('webhook')).map((fault) => `fault ${fault} × webhook`),
  'fault merchant slow × notification',
  'operation payment returned from outside',
  ...QUIRKS.map((quirk) => `quirk ${quirk}`),
  ...CLOSES.map((says) => `close says ${says}`),
]

export const missingCoverage = (coverage: Record<string, number>): string[] =>
  EXPECTED.filter((what) => coverage[what] === undefined)
