/** Signed members that a request has and its call has not. */
import { type JsonObject, namesOfSigned } from './canonical.ts'
import { type Refusal, refuseField } from './errors.ts'

/** Members of every request: they travel in headers, and those of the headers are the ones that are signed. */
const OF_THE_SIGNATURE: ReadonlySet<string> = new Set(['mch_no', 'nonce', 'sign_type'])

const NAME_MAX = 20

/** A caller's name of a member, for `fieldErrors`: short, and without characters that nothing shows. */
const shownName = (name: string): string => {
  const shown = [...name].map((letter) => (/[\p{C}\p{Z}]/u.test(letter) ? '?' : letter))
  return shown.length > NAME_MAX ? `${shown.slice(0, NAME_MAX - 1).join('')}…` : shown.join('')
}

/**
 * A refusal of the first signed member that is not one of the call's `own`; null where all are. A signature names neither method
 * nor path. Without this check the order parameters that a merchant signs for its payer's page would, moved into headers, close
 * and query the order.
 */
export function foreignMember(params: JsonObject, own: object): Refusal | null {
  const foreign = namesOfSigned(params).find((name) => !Object.hasOwn(own, name) && !OF_THE_SIGNATURE.has(name))
  return foreign === undefined ? null : refuseField(shownName(foreign), '不是此接口的参数 (not of this call)')
}
