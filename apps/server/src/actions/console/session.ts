/** Signs users of the console in and out. A user proves their identity by a password and, where there is one, a second factor. */
import { createHash } from 'node:crypto'
import type { SecondFactor } from '@acopay/protocol/console'
import {
  addConsoleSession,
  beginSignIn,
  type ConsoleSession,
  type ConsoleUser,
  endConsoleSession,
  endConsoleSessionOf,
  endSignIn,
  findConsoleUser,
  forgetChallenges,
  forgetConsoleSessions,
  forgetSignIns,
  listConsoleSessions,
  type OpenSession,
  proveConsoleSession,
  type SignInFrom,
  useConsoleSession,
} from '@acopay/store/console'
import { originOf } from '../../security/origin.ts'
import { isPassword } from '../../security/passwords.ts'
import type { World } from '../../world.ts'
import { askForSecondFactor, hasSecondFactor, type SecondGiven, takeSecondFactor } from './second-factor.ts'

/** A session ends after half an hour without a call, and after half a day in any case. */
export const IDLE_MS = 30 * 60_000
const SESSION_MS = 12 * 3_600_000
/** Longer than the longest lock. */
const FAILURES_KEPT_MS = 24 * 3_600_000

/** Where the failed tries of a user's open sessions are counted, so that strangers cannot keep the user from proving who they are. */
export const inSession = (username: string) => ({ username, origin: 'session' })

/** The database stores this hash of the cookie's token instead of the token. */
export const sessionKey = (token: string): Buffer => createHash('sha256').update(token, 'utf8').digest()

/** `device`: of a browser in which this user signed in before, else null. `signal` aborts when the caller has left. */
export type SignIn = {
  username: string
  password: string
  second: SecondGiven
  address: string
  device: string | null
  signal?: AbortSignal
}

/** Where the failed tries of a sign-in are counted: a browser that is known has a count of its own. */
const originOfSignIn = ({ address, device }: Pick<SignIn, 'address' | 'device'>): string =>
  device === null ? originOf(address) : `device ${device}`

export type SignedIn =
  | { kind: 'begun'; token: string }
  | { kind: 'wrong' }
  | { kind: 'second_needed'; with: SecondFactor }
  | { kind: 'password_ended' }

/** `user` is set whenever the name exists, because the audit log also records failed sign-ins. */
export async function signIn(
  world: World,
  { username, password, second, address, device, signal }: SignIn,
): Promise<{ user: ConsoleUser | null; result: SignedIn }> {
  const now = world.now()
  // First: a try that is sent away for lack of a place does not count against the name.
  const place = world.hashing.takePlace({ isKnown: device !== null, ...(signal === undefined ? {} : { signal }) })
  const from = { username, origin: originOfSignIn({ address, device }) }
  try {
    const counted = await beginSignIn(world.pool, from, now)
    const user = await findConsoleUser(world.pool, username)
    const isRight = await isPassword(place, password, counted === null ? null : (user?.passwordHash ?? null))
    return { user, result: await signedIn(world, { from, address, second }, isRight ? user : null) }
  } finally {
    place.leave()
  }
}

/** `user`: null unless the password is right. */
async function signedIn(
  world: World,
  { from, address, second }: { from: SignInFrom } & Pick<SignIn, 'address' | 'second'>,
  user: ConsoleUser | null,
): Promise<SignedIn> {
  if (user === null || !user.isEnabled) return { kind: 'wrong' }
  if (hasSecondFactor(user)) {
    if (second.code === null && second.passkey === null) {
      return { kind: 'second_needed', with: await askForSecondFactor(world, user, second.site) }
    }
    if (!(await takeSecondFactor(world, user, { ...second, purpose: 'sign_in' }))) return { kind: 'wrong' }
  }
  const now = world.now()
  if (user.passwordEndsAt !== null && user.passwordEndsAt <= now) return { kind: 'password_ended' }
  await endSignIn(world.pool, from, now)
  return { kind: 'begun', token: await beginSession(world, from.username, address) }
}

/** Begins a session and returns its token, which only the browser keeps. */
export async function beginSession(
  world: World,
  username: string,
  address: string,
  { isByProvider = false } = {},
): Promise<string> {
  const now = world.now()
  const token = world.newNonce() + world.newNonce()
  const expiresAt = new Date(now.getTime() + SESSION_MS)
  await addConsoleSession(world.pool, { key: sessionKey(token), username, address, expiresAt, isByProvider }, now)
  return token
}

/** The session with its user; null when it has ended. `isActive` restarts its idle time. */
export function useSession(world: World, token: string, isActive: boolean): Promise<ConsoleSession | null> {
  const now = world.now()
  return useConsoleSession(world.pool, sessionKey(token), {
    now,
    idleSince: new Date(now.getTime() - IDLE_MS),
    isActive,
  })
}

/** Whether its user had come by the identity provider. */
export const endSession = (world: World, key: Buffer): Promise<boolean> => endConsoleSession(world.pool, key)

/** The user's open sessions, those used last first. `isThis`: the one that asks. */
export async function sessionsOf(
  world: World,
  username: string,
  key: Buffer,
): Promise<(OpenSession & { isThis: boolean })[]> {
  const now = world.now()
  const open = await listConsoleSessions(world.pool, username, { now, idleSince: new Date(now.getTime() - IDLE_MS) })
  return open.map((one) => ({ ...one, isThis: key.toString('hex').startsWith(one.id) }))
}

/** False when the user has no such session. */
export const endSessionOf = (world: World, username: string, id: string): Promise<boolean> =>
  endConsoleSessionOf(world.pool, username, id)

/** Deletes the sessions and challenges that have ended, and failed sign-ins of the day before. */
export async function forgetEndedSessions(world: World): Promise<void> {
  const now = world.now()
  await forgetSignIns(world.pool, new Date(now.getTime() - FAILURES_KEPT_MS))
  await forgetConsoleSessions(world.pool, now, new Date(now.getTime() - IDLE_MS))
  await forgetChallenges(world.pool, now)
}

/** The row of a user who is signed in. */
export async function signedInUser(world: World, username: string): Promise<ConsoleUser> {
  const user = await findConsoleUser(world.pool, username)
  if (user === null) throw new Error(`user ${username} is signed in but does not exist`)
  return user
}

/**
 * Checks the password of a user who is signed in, because an open session alone must not be enough to change a password or
 * TOTP. Wrong passwords are counted (`inSession`); a caller that succeeds resets the count with `endSignIn`. Null when the
 * password is wrong or the user's sessions are locked.
 */
export async function provenUser(world: World, username: string, password: string): Promise<ConsoleUser | null> {
  // Every password has twelve characters or more, so an empty one needs no hash.
  if (password === '') return null
  const place = world.hashing.takePlace({ isKnown: true })
  try {
    const counted = await beginSignIn(world.pool, inSession(username), world.now())
    const user = await signedInUser(world, username)
    return counted !== null && (await isPassword(place, password, user.passwordHash)) ? user : null
  } finally {
    place.leave()
  }
}

/**
 * A user who is signed in proves again who they are, by the password and, where there is one, a second factor. For ten minutes (`isProven`) the
 * session may then do what an open session alone may not.
 */
export async function proveAgain(
  world: World,
  { username, password, second, key }: { username: string; password: string; second: SecondGiven; key: Buffer },
): Promise<'proven' | 'wrong_password' | 'wrong_code' | 'wrong_passkey'> {
  const user = await provenUser(world, username, password)
  if (user === null) return 'wrong_password'
  if (hasSecondFactor(user) && !(await takeSecondFactor(world, user, { ...second, purpose: 'prove' }))) {
    return second.passkey === null ? 'wrong_code' : 'wrong_passkey'
  }
  await endSignIn(world.pool, inSession(username), null)
  await proveConsoleSession(world.pool, key, world.now())
  return 'proven'
}

const PROVEN_MS = 10 * 60_000

export const isProven = (world: World, { provenAt }: ConsoleSession): boolean =>
  world.now().getTime() - provenAt.getTime() < PROVEN_MS
