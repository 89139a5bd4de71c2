/** What browsers are asked for, and whether what they answer is right: WebAuthn, by @simplewebauthn/server. */
import type { NewPasskeyAnswer, PasskeyAnswer, PasskeyOptions } from '@acopay/protocol/console'
import type { PasskeySite } from './passkey-site.ts'

/** EdDSA, ES256 and RS256. The library's own list depends on the version of Node, and processes may run on several. */
const ALGORITHMS = [-8, -7, -257]

/** Loaded when a passkey is first used, because that takes half a second and some megabytes. */
const library = () => import('@simplewebauthn/server')

type Known = { credentialId: Buffer; transports: string[] }

const refsTo = (known: Known[]) =>
  known.map(({ credentialId, transports }) => ({ id: credentialId.toString('base64url'), transports }))

/** `known`: passkeys that the user has already, so that no authenticator makes a second one. */
export async function creationOptions(
  { rpId }: PasskeySite,
  { username, challenge, known, timeout }: { username: string; challenge: Buffer; known: Known[]; timeout: number },
): Promise<PasskeyOptions> {
  const { generateRegistrationOptions } = await library()
  return generateRegistrationOptions({
    rpName: 'ACO Pay',
    rpID: rpId,
    userName: username,
    userDisplayName: username,
    challenge: new Uint8Array(challenge),
    timeout,
    excludeCredentials: refsTo(known),
    // The user types a name and a password first, so no authenticator has to keep a list of users.
    authenticatorSelection: { residentKey: 'discouraged', userVerification: 'preferred' },
    supportedAlgorithmIDs: ALGORITHMS,
  })
}

export async function requestOptions(
  { rpId }: PasskeySite,
  { challenge, known, timeout }: { challenge: Buffer; known: Known[]; timeout: number },
): Promise<PasskeyOptions> {
  const { generateAuthenticationOptions } = await library()
  return generateAuthenticationOptions({
    rpID: rpId,
    challenge: new Uint8Array(challenge),
    timeout,
    allowCredentials: refsTo(known),
    userVerification: 'preferred',
  })
}

/** The challenge that an answer says it signed. Null where it cannot be read. */
export function challengeIn({ response: { clientDataJSON } }: PasskeyAnswer | NewPasskeyAnswer): Buffer | null {
  try {
    const signed: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'))
    const { challenge } = (signed ?? {}) as { challenge?: unknown }
    return typeof challenge === 'string' ? Buffer.from(challenge, 'base64url') : null
  } catch {
    return null
  }
}

/** Why an answer was refused, in the library's words: for the log, since most often a setting of the operator's is wrong. */
export type PasskeyRefused = { why: string }

export type MadePasskey = { credentialId: Buffer; publicKey: Buffer; counter: number }

/** Reads a new passkey out of the answer to `creationOptions`. */
export const readMadePasskey = (
  { rpId, origin }: PasskeySite,
  answer: NewPasskeyAnswer,
  challenge: Buffer,
): Promise<MadePasskey | PasskeyRefused> =>
  orRefused(async () => {
    const { verifyRegistrationResponse } = await library()
    const why = await attestationRefusal(answer)
    if (why !== null) return { why }
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: asResponse(answer),
      expectedChallenge: challenge.toString('base64url'),
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: false,
      supportedAlgorithmIDs: ALGORITHMS,
    })
    if (!verified) return { why: 'the attestation does not verify' }
    const { id, publicKey, counter } = registrationInfo.credential
    return { credentialId: Buffer.from(id, 'base64url'), publicKey: Buffer.from(publicKey), counter }
  })

/**
 * We ask for no attestation, and browsers then send none that has certificates. One that has some was made by hand: the library would
 * fetch lists from addresses that stand in them.
 */
async function attestationRefusal({ response }: NewPasskeyAnswer): Promise<string | null> {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers')
  const object = decodeAttestationObject(new Uint8Array(Buffer.from(response.attestationObject, 'base64url')))
  const format = object.get('fmt')
  const isPlain = format === 'none' || (format === 'packed' && object.get('attStmt').get('x5c') === undefined)
  return isPlain ? null : `an attestation of the format ${format} was not asked for`
}

/**
 * Checks the signature over a challenge, and answers the authenticator's counter. The store compares it with the one before, in the
 * statement that writes it.
 */
export const readSignature = (
  { rpId, origin }: PasskeySite,
  answer: PasskeyAnswer,
  { challenge, publicKey }: { challenge: Buffer; publicKey: Buffer },
): Promise<{ counter: number } | PasskeyRefused> =>
  orRefused(async () => {
    const { verifyAuthenticationResponse } = await library()
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: asResponse(answer),
      expectedChallenge: challenge.toString('base64url'),
      expectedOrigin: origin,
      expectedRPID: rpId,
      // 0: the library compares no counters.
      credential: { id: answer.id, publicKey: new Uint8Array(publicKey), counter: 0 },
      requireUserVerification: false,
    })
    return verified ? { counter: authenticationInfo.newCounter } : { why: 'the signature does not verify' }
  })

/** The library throws for everything that a caller can send. */
async function orRefused<Answer>(read: () => Promise<Answer>): Promise<Answer | PasskeyRefused> {
  try {
    return await read()
  } catch (error) {
    return { why: error instanceof Error ? error.message.slice(0, WHY_MAX) : 'unreadable' }
  }
}

const WHY_MAX = 200

/** What our pages leave out is the same in every answer. */
const asResponse = <Answer extends { id: string }>(answer: Answer) => ({
  ...answer,
  rawId: answer.id,
  type: 'public-key' as const,
  clientExtensionResults: {},
})
