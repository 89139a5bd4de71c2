/** Passkeys of a user of the console: registered, removed, and taken as a second factor. */
import { randomBytes } from 'node:crypto'
import type { NewPasskeyAnswer, PasskeyAnswer, PasskeyOptions } from '@acopay/protocol/console'
import {
  addChallenge,
  addPasskey,
  type ChallengePurpose,
  findPasskey,
  listPasskeys,
  type Passkey,
  removePasskey,
  takeChallenge,
  usePasskey,
} from '@acopay/store/console'
import type { PasskeySite } from '../../security/passkey-site.ts'
import {
  challengeIn,
  creationOptions,
  readMadePasskey,
  readSignature,
  requestOptions,
} from '../../security/passkeys.ts'
import type { World } from '../../world.ts'
import { newRecoveryCodes } from './recovery-codes.ts'

const PASSKEYS_MAX = 20
/** How long a user has for the browser's questions. */
const CHALLENGE_MS = 5 * 60_000
/** Open questions of one user for one purpose: as many windows at once. */
const CHALLENGES_MAX = 10

export const passkeysOf = (world: World, username: string): Promise<Passkey[]> => listPasskeys(world.pool, username)

/** What the browser is asked for to make a passkey. */
export async function beginPasskey(world: World, username: string, site: PasskeySite): Promise<PasskeyOptions> {
  const known = await listPasskeys(world.pool, username)
  const challenge = await newChallenge(world, username, 'register')
  return creationOptions(site, { username, challenge, known, timeout: CHALLENGE_MS })
}

/** What the browser is asked for to sign with a passkey. Null where the user has none, or none works at this address. */
export async function askForPasskey(
  world: World,
  username: string,
  purpose: 'sign_in' | 'prove',
  site: PasskeySite | null,
): Promise<PasskeyOptions | null> {
  const known = site === null ? [] : await listPasskeys(world.pool, username)
  if (site === null || known.length === 0) return null
  const challenge = await newChallenge(world, username, purpose)
  return requestOptions(site, { challenge, known, timeout: CHALLENGE_MS })
}

/** The database keeps the challenges, so that any process can take the answer, and only one does. */
async function newChallenge(world: World, username: string, purpose: ChallengePurpose): Promise<Buffer> {
  const challenge = randomBytes(32)
  const expiresAt = new Date(world.now().getTime() + CHALLENGE_MS)
  await addChallenge(world.pool, { challenge, username, purpose, expiresAt }, CHALLENGES_MAX)
  return challenge
}

/** The challenge of an answer, used up. Null where it was not given for this, was used before, or has expired. */
async function challengeOf(
  world: World,
  answer: PasskeyAnswer | NewPasskeyAnswer,
  of: { username: string; purpose: ChallengePurpose },
): Promise<Buffer | null> {
  const challenge = challengeIn(answer)
  if (challenge === null) return null
  return (await takeChallenge(world.pool, { challenge, ...of }, world.now())) ? challenge : null
}

export type PasskeyMade =
  | { kind: 'refused' | 'too_many' | 'known' }
  /** The codes are set where this is the user's first second factor. */
  | { kind: 'added'; recoveryCodes: string[] | null }

export async function makePasskey(
  world: World,
  username: string,
  { site, name, answer }: { site: PasskeySite; name: string; answer: NewPasskeyAnswer },
): Promise<PasskeyMade> {
  const challenge = await challengeOf(world, answer, { username, purpose: 'register' })
  if (challenge === null) return { kind: 'refused' }
  const made = await readMadePasskey(site, answer, challenge)
  if ('why' in made) {
    world.log.warn({ username, why: made.why }, 'passkey refused')
    return { kind: 'refused' }
  }
  const { codes, hashes } = newRecoveryCodes()
  const passkey = { ...made, username, name, transports: answer.response.transports ?? [] }
  const added = await addPasskey(world.pool, passkey, { max: PASSKEYS_MAX, recoveryHashes: hashes }, world.now())
  if (added === 'too_many' || added === 'known') return { kind: added }
  return { kind: 'added', recoveryCodes: added === 'first' ? codes : null }
}

/** False when the user has no such passkey. */
export const dropPasskey = (world: World, username: string, id: string): Promise<boolean> =>
  removePasskey(world.pool, username, id)

/** Whether the answer is signed by a passkey of this user, over a challenge that was given for this purpose and not used yet. */
export async function takePasskey(
  world: World,
  username: string,
  { answer, site, purpose }: { answer: PasskeyAnswer; site: PasskeySite | null; purpose: 'sign_in' | 'prove' },
): Promise<boolean> {
  const challenge = await challengeOf(world, answer, { username, purpose })
  if (challenge === null || site === null) return false
  const passkey = await findPasskey(world.pool, username, Buffer.from(answer.id, 'base64url'))
  if (passkey === null) return false
  const { id, credentialId, publicKey } = passkey
  const signed = await readSignature(site, answer, { challenge, publicKey })
  if ('why' in signed) {
    world.log.warn({ username, passkey: id, why: signed.why }, 'passkey refused')
    return false
  }
  if (await usePasskey(world.pool, { credentialId, counter: signed.counter }, world.now())) return true
  const line = { username, passkey: id, counter: signed.counter, alarm: true }
  world.log.error(line, 'the counter of a passkey went back: it may have been copied')
  return false
}
