/**
 * A user signs in by the installation's identity provider, and links their account with it. The provider takes the place of the password
 * and of nothing else: who has a second factor here is asked for it, and who needs one gets one first.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { SecondFactor } from '@acopay/protocol/console'
import {
  addTrip,
  beginSignIn,
  type ConsoleUser,
  endReturned,
  endSignIn,
  findConsoleUser,
  findReturned,
  forgetTrips,
  linkedSince,
  linkSubject,
  type Trip,
  takeTrip,
  unlinkSubjects,
  useConsoleSession,
  userOfSubject,
} from '@acopay/store/console'
import { type FailureKind, type IdentityProvider, ProviderFailure } from '../../security/identity-provider.ts'
import type { World } from '../../world.ts'
import { askForSecondFactor, hasSecondFactor, type SecondGiven, takeSecondFactor } from './second-factor.ts'
import { beginSession, IDLE_MS } from './session.ts'

/** How long a person may be at the provider, and then look for a second factor. */
const TRIP_MS = 10 * 60_000

/** The database stores this hash of the trip's cookie instead of the cookie. */
const tripKeyOf = (tripToken: string): Buffer => createHash('sha256').update(`trip ${tripToken}`, 'utf8').digest()

/** Null where the installation has no provider. */
export const providerOf = ({ identityProvider }: World): IdentityProvider | null => identityProvider

/** A browser on its way: what its cookie holds, and where it goes. */
export type Departure = { tripToken: string; url: string }

async function begin(world: World, provider: IdentityProvider, trip: Omit<Trip, 'tripKey'>): Promise<Departure> {
  const tripToken = await newTrip(world, trip)
  return { tripToken, url: await provider.urlOf(tripToken) }
}

async function newTrip({ pool, now }: World, trip: Omit<Trip, 'tripKey'>): Promise<string> {
  await forgetTrips(pool, now())
  const tripToken = randomBytes(32).toString('base64url')
  await addTrip(pool, { ...trip, tripKey: tripKeyOf(tripToken), expiresAt: new Date(now().getTime() + TRIP_MS) })
  return tripToken
}

export const beginProviderSignIn = (world: World, provider: IdentityProvider): Promise<Departure> =>
  begin(world, provider, { purpose: 'sign_in', username: null, sessionKey: null })

/** `session`: the open session that asks, which must still be open at the return. */
export const beginLink = (
  world: World,
  provider: IdentityProvider,
  { username, sessionKey }: { username: string; sessionKey: Buffer },
): Promise<Departure> => begin(world, provider, { purpose: 'link', username, sessionKey })

/** Why a return led to nothing. 'nobody': the provider knows the person, and here no active user is linked with them. */
export type ReturnFailure = FailureKind | 'over' | 'nobody' | 'taken'

export type Returned =
  | { kind: 'begun'; user: ConsoleUser; token: string }
  | { kind: 'second'; tripToken: string }
  | { kind: 'linked'; user: ConsoleUser }
  /** `user` is set where it is known, for the audit log. */
  | { kind: 'failed'; why: ReturnFailure; user: ConsoleUser | null; code?: string }

const over = (why: ReturnFailure, user: ConsoleUser | null = null): Returned => ({ kind: 'failed', why, user })

/** A browser comes back from the provider, with the cookie of its trip. */
export async function comeBack(
  world: World,
  provider: IdentityProvider,
  { tripToken, query, address }: { tripToken: string; query: string; address: string },
): Promise<Returned> {
  // Used up first: the same return a second time finds nothing, whatever becomes of the first.
  const trip = await takeTrip(world.pool, tripKeyOf(tripToken), world.now())
  if (trip === null) return over('over')
  try {
    const subject = { issuer: provider.issuer, subject: await provider.subjectOf(tripToken, query) }
    return trip.purpose === 'link' ? await linked(world, trip, subject) : await entered(world, subject, address)
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    const user = trip.username === null ? null : await findConsoleUser(world.pool, trip.username)
    return { kind: 'failed', why: error.kind, user, code: error.code }
  }
}

type Subject = { issuer: string; subject: string }

async function entered(world: World, subject: Subject, address: string): Promise<Returned> {
  const username = await userOfSubject(world.pool, subject)
  const user = username === null ? null : await findConsoleUser(world.pool, username)
  if (username === null || user === null || !user.isEnabled) return over('nobody', user)
  if (hasSecondFactor(user)) {
    return { kind: 'second', tripToken: await newTrip(world, { purpose: 'second', username, sessionKey: null }) }
  }
  return { kind: 'begun', user, token: await signInAs(world, username, address) }
}

async function signInAs(world: World, username: string, address: string): Promise<string> {
  await endSignIn(world.pool, byProvider(username), world.now())
  return beginSession(world, username, address, { isByProvider: true })
}

async function linked(world: World, { username, sessionKey }: Trip, subject: Subject): Promise<Returned> {
  if (username === null || sessionKey === null) return over('over')
  const user = await findConsoleUser(world.pool, username)
  // The session has ended meanwhile: by its user, or because an admin took the account away.
  const now = world.now()
  const open = { now, idleSince: new Date(now.getTime() - IDLE_MS), isActive: true }
  const session = await useConsoleSession(world.pool, sessionKey, open)
  if (user === null || session?.username !== username) return over('over', user)
  const result = await linkSubject(world.pool, subject, username, now)
  return result === 'linked' ? { kind: 'linked', user } : over('taken', user)
}

/** Where wrong second factors of those who came by the provider are counted: nobody else gets that far. */
const byProvider = (username: string) => ({ username, origin: 'provider' })

export type SecondStep =
  | { kind: 'over' | 'wrong'; user: ConsoleUser | null }
  | { kind: 'needed'; with: SecondFactor; user: ConsoleUser }
  | { kind: 'begun'; token: string; user: ConsoleUser }

/** Who came back gives the second factor. The trip stays until it is right, so that a slip of the finger does not begin it anew. */
export async function giveSecond(
  world: World,
  { tripToken, second, address }: { tripToken: string; second: SecondGiven; address: string },
): Promise<SecondStep> {
  const tripKey = tripKeyOf(tripToken)
  const username = await findReturned(world.pool, tripKey, world.now())
  const user = username === null ? null : await findConsoleUser(world.pool, username)
  if (username === null || user === null || !user.isEnabled) return { kind: 'over', user }
  if (second.code === null && second.passkey === null) {
    return { kind: 'needed', with: await askForSecondFactor(world, user, second.site), user }
  }
  const counted = await beginSignIn(world.pool, byProvider(username), world.now())
  if (counted === null || !(await takeSecondFactor(world, user, { ...second, purpose: 'sign_in' }))) {
    return { kind: 'wrong', user }
  }
  if (!(await endReturned(world.pool, tripKey))) return { kind: 'over', user }
  return { kind: 'begun', token: await signInAs(world, username, address), user }
}

export const linkOf = (world: World, { issuer }: IdentityProvider, username: string): Promise<Date | null> =>
  linkedSince(world.pool, username, issuer)

export const unlink = (world: World, username: string) => unlinkSubjects(world.pool, username)

/** Where the user signs out of the provider too. Null where it has no such page, or cannot be asked now. */
export async function providerSignOut({ identityProvider, log }: World): Promise<string | null> {
  return (
    identityProvider?.signOutUrl().catch((error: unknown) => {
      log.info({ code: error instanceof ProviderFailure ? error.code : 'unknown' }, 'identity provider not asked')
      return null
    }) ?? null
  )
}
