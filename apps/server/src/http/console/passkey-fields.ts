/** Reads what a browser answered about a passkey. Only its shape is checked here; security/passkeys.ts checks what it says. */
import type { NewPasskeyAnswer, PasskeyAnswer } from '@acopay/protocol/console'
import type { fieldsOf } from './fields.ts'

/** Bytes in Base64url. Keys and signatures are shorter by far. */
const BYTES_MAX = 8192
/** 1023 bytes, as WebAuthn allows. */
const ID_MAX = 1364

/** What WebAuthn knows today. Other words, and more of them, are left out: they are hints for browsers. */
const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb']

type Say = ReturnType<typeof fieldsOf>['say']

/** Null where none was sent. `say` is told where it is unreadable. */
export function passkeyIn(body: Record<string, unknown>, say: Say): PasskeyAnswer | null {
  if (body.passkey === undefined || body.passkey === null) return null
  const { id, response } = partsOf(body.passkey)
  const { clientDataJSON, authenticatorData, signature } = response
  if (isBytes(id, ID_MAX) && isBytes(clientDataJSON) && isBytes(authenticatorData) && isBytes(signature)) {
    return { id, response: { clientDataJSON, authenticatorData, signature } }
  }
  return unreadable(say)
}

export function newPasskeyIn(body: Record<string, unknown>, say: Say): NewPasskeyAnswer | null {
  const { id, response } = partsOf(body.passkey)
  const { clientDataJSON, attestationObject, transports } = response
  if (isBytes(id, ID_MAX) && isBytes(clientDataJSON) && isBytes(attestationObject)) {
    const named: unknown[] = Array.isArray(transports) ? transports : []
    const known = TRANSPORTS.filter((one) => named.includes(one))
    return { id, response: { clientDataJSON, attestationObject, transports: known } }
  }
  return unreadable(say)
}

const unreadable = (say: Say): null =>
  say('passkey', '应为浏览器给出的通行密钥应答', 'should be what the browser answered about the passkey')

const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const partsOf = (passkey: unknown): { id: unknown; response: Record<string, unknown> } => {
  const { id, response } = objectOf(passkey)
  return { id, response: objectOf(response) }
}

const isBytes = (value: unknown, max = BYTES_MAX): value is string =>
  typeof value === 'string' && value.length <= max && /^[\w-]+$/.test(value)
