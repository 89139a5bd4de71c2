/** Users who sign in by an identity provider: whom it knows as whom, and browsers that are on their way to it and back. */
import { type Db, run } from '../db.ts'

/** The provider's name for a person, which never becomes another person's. */
export type Subject = { issuer: string; subject: string }

/** 'taken': another user has this subject, or this user another one. */
export async function linkSubject(
  db: Db,
  { issuer, subject }: Subject,
  username: string,
  now: Date,
): Promise<'linked' | 'taken'> {
  const rows = await run(
    db,
    'linkSubject',
    `insert into console_provider_link (issuer, subject, username, linked_at) values ($1, $2, $3, $4)
     on conflict do nothing returning 1`,
    [issuer, subject, username, now],
  )
  return rows.length === 1 ? 'linked' : 'taken'
}

export async function userOfSubject(db: Db, { issuer, subject }: Subject): Promise<string | null> {
  const text = 'select username from console_provider_link where issuer = $1 and subject = $2'
  return (await run<{ username: string }>(db, 'userOfSubject', text, [issuer, subject]))[0]?.username ?? null
}

/** Since when the user can sign in by this provider; null: not. */
export async function linkedSince(db: Db, username: string, issuer: string): Promise<Date | null> {
  const text = 'select linked_at as "linkedAt" from console_provider_link where username = $1 and issuer = $2'
  return (await run<{ linkedAt: Date }>(db, 'linkedSince', text, [username, issuer]))[0]?.linkedAt ?? null
}

/** Of every provider, also of one that is no longer set. */
export const unlinkSubjects = (db: Db, username: string) =>
  run(db, 'unlinkSubjects', 'delete from console_provider_link where username = $1', [username])

/** 'sign_in' and 'link': at the provider. 'second': came back, and owes a second factor. */
export type Trip = {
  tripKey: Buffer
  purpose: 'sign_in' | 'link' | 'second'
  /** Null of 'sign_in'. */
  username: string | null
  /** Of 'link': the session that asked. */
  sessionKey: Buffer | null
}

export const addTrip = (db: Db, trip: Trip & { expiresAt: Date }) =>
  run(
    db,
    'addTrip',
    `insert into console_provider_trip (trip_key, purpose, username, session_key, expires_at) values ($1, $2, $3, $4, $5)`,
    [trip.tripKey, trip.purpose, trip.username, trip.sessionKey, trip.expiresAt],
  )

const COLUMNS = 'trip_key as "tripKey", purpose, username, session_key as "sessionKey"'

/** Uses a trip to the provider up. Null where there is none, it was used before, or it has ended. */
export async function takeTrip(db: Db, tripKey: Buffer, now: Date): Promise<Trip | null> {
  const text = `delete from console_provider_trip
    where trip_key = $1 and purpose <> 'second' and expires_at > $2 returning ${COLUMNS}`
  return (await run<Trip>(db, 'takeTrip', text, [tripKey, now]))[0] ?? null
}

/** The user who came back and owes a second factor. */
export async function findReturned(db: Db, tripKey: Buffer, now: Date): Promise<string | null> {
  const text = `select username from console_provider_trip
    where trip_key = $1 and purpose = 'second' and expires_at > $2`
  return (await run<{ username: string }>(db, 'findReturned', text, [tripKey, now]))[0]?.username ?? null
}

/** False where it was used before. */
export async function endReturned(db: Db, tripKey: Buffer): Promise<boolean> {
  const text = `delete from console_provider_trip where trip_key = $1 and purpose = 'second' returning 1`
  return (await run(db, 'endReturned', text, [tripKey])).length === 1
}

/** Ends what the user has begun at the provider. */
export const endTripsOf = (db: Db, username: string) =>
  run(db, 'endTripsOf', 'delete from console_provider_trip where username = $1', [username])

/** Removes trips that have ended. */
export const forgetTrips = (db: Db, now: Date) =>
  run(db, 'forgetTrips', 'delete from console_provider_trip where expires_at <= $1', [now])
