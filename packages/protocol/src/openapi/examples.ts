/** The examples of the OpenAPI document: requests and answers of a real gateway, recorded by `npm run record`. */
import type { AnswerName } from '../answer-fields.ts'
import type { NotificationKind } from '../notifications.ts'
import { RECORDED } from './recorded.ts'
import type { Recorded, RecordedCall, SignatureHeaderValues } from './recording.ts'

const { calls, cashier, notifications }: Recorded = RECORDED

const firstOf = (call: AnswerName): RecordedCall | undefined => calls.find((one) => one.call === call)

/** The request that the text about signing takes apart; undefined before the first recording. */
export const closeExample = (): RecordedCall | undefined => firstOf('post close')

type Named = { name: string; zh: string; en: string }

const keyed = <One extends Named>(ones: readonly One[], shown: (one: One) => unknown) =>
  Object.fromEntries(ones.map((one) => [one.name, { summary: `${one.zh} · ${one.en}`, value: shown(one) }]))

/** The bodies of one call's requests that were answered with success. */
export const requestExamples = (call: AnswerName) =>
  keyed(
    calls.filter((one) => one.call === call && one.answer.status === 200),
    ({ params }) => params,
  )

export const answerExamples = (call: AnswerName) =>
  keyed(
    calls.filter((one) => one.call === call),
    ({ answer }) => answer,
  )

/** A parameter of the query, as the first recorded request has it. */
export const queryExample = (call: AnswerName, name: string) => exampleOf(firstOf(call)?.params[name])

/** The value of one signature header. */
export const headerExample = (name: keyof SignatureHeaderValues) => exampleOf(closeExample()?.headers[name])

const exampleOf = (example: string | undefined) => (example === undefined ? {} : { example })

export const notificationExample = (kind: NotificationKind) => notifications[kind]

export const cashierExamples = (call: 'state' | 'attempts', httpStatus: number) =>
  keyed(
    cashier.filter((one) => one.call === call && one.httpStatus === httpStatus),
    ({ answer }) => answer,
  )

export const cashierRequests = () =>
  keyed(
    cashier.filter((one) => one.call === 'attempts' && one.httpStatus === 200),
    ({ params }) => params,
  )

/** One of the three parts of a recorded `cashier_url`, by its place. */
export const linkExample = (place: number) => exampleOf(RECORDED.cashierUrl.split('/').slice(-3)[place])
