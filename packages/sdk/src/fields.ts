/** Checks fields before they are sent to the gateway, and reads fields of a signed answer. */
import { isRefusal, type Refusal } from '@acopay/protocol'
import type { AnswerData } from './client.ts'
import { ParameterError, SignatureError } from './errors.ts'

const AMOUNT = /^(0|[1-9]\d{0,5})\.\d\d$/

/** The amount, when it is written as the contract requires. Throws ParameterError for a number or anything else. */
export function yuan(field: string, text: string): string {
  if (typeof text === 'string' && AMOUNT.test(text) && text !== '0.00') return text
  throw new ParameterError(field, `${field} should be yuan with two decimals as a text, "12.50"`)
}

/** The fields that have a value. */
export const present = (fields: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined))

/**
 * Throws what the gateway's own check refuses, before anything is sent. `either` is the wire name of the field to name where
 * the refusal is about several, such as two numbers of which neither was given.
 */
export function refuseLocally(parsed: object | Refusal, either = 'transaction_no'): void {
  if (!isRefusal(parsed)) return
  const field = (parsed.field ?? either).replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  throw new ParameterError(field, `${field}: ${parsed.fieldErrors}`)
}

/** A time on the wire. Throws ParameterError for anything but a time. */
export function timeOf(field: string, time: Date | undefined): string | undefined {
  if (time === undefined) return undefined
  if (time instanceof Date && !Number.isNaN(time.getTime())) return time.toISOString()
  throw new ParameterError(field, `${field} should be a Date`)
}

export const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text))

export function textOf(data: AnswerData, name: string): string {
  const text = data[name]
  if (typeof text === 'string') return text
  throw new SignatureError(`the answer has no ${name}`)
}

export function oneOf<Words extends object>(data: AnswerData, name: string, words: Words): keyof Words {
  const text = textOf(data, name)
  if (Object.hasOwn(words, text)) return text as keyof Words
  throw new SignatureError(`the answer's ${name} is a word this version does not know: ${text}`)
}
