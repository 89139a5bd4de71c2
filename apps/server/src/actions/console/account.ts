/** A user of the console changes their own password and turns TOTP on and off. */
import {
  beginSignIn,
  type ConsoleUser,
  changeConsoleUser,
  endConsoleSessions,
  endSignIn,
  putRecoveryCodes,
  putTotpSecret,
  turnTotpOff,
} from '@acopay/store/console'
import { Secret } from 'otpauth'
import { hashPassword } from '../../security/passwords.ts'
import type { World } from '../../world.ts'
import { newRecoveryCodes } from './recovery-codes.ts'
import { takeCode, totpOf, totpPlace } from './second-factor.ts'
import { beginSession, inSession, provenUser, signedInUser } from './session.ts'

export type PasswordChange = { username: string; password: string; fresh: string; address: string }

/** Ends all sessions of the user and begins a new one. Null when the old password is wrong. */
export async function changeOwnPassword(
  world: World,
  { username, password, fresh, address }: PasswordChange,
): Promise<{ token: string; user: ConsoleUser } | null> {
  const user = await provenUser(world, username, password)
  if (user === null) return null
  const hash = await hashPassword(world.hashing, fresh)
  await changeConsoleUser(world.pool, username, { password: { hash, endsAt: null } })
  // The session that makes this call ends too, so that a stolen copy of its cookie stops working.
  await endConsoleSessions(world.pool, username)
  return { token: await beginSession(world, username, address), user: { ...user, mustChangePassword: false } }
}

export type TotpBegun =
  | { kind: 'wrong_password' }
  | { kind: 'enabled_already' }
  | { kind: 'begun'; secret: string; uri: string }

/** Stores a new secret. Codes are required only after `enableTotp` has checked the first one. */
export async function beginTotp(world: World, username: string, password: string): Promise<TotpBegun> {
  const user = await provenUser(world, username, password)
  if (user === null) return { kind: 'wrong_password' }
  await endSignIn(world.pool, inSession(username), null)
  if (user.isTotpEnabled) return { kind: 'enabled_already' }
  const secret = new Secret({ size: 20 })
  await putTotpSecret(world.pool, username, world.secrets.seal(totpPlace(username), secret.base32))
  return { kind: 'begun', secret: secret.base32, uri: totpOf(username, secret).toString() }
}

/** Returns the codes for the day on which the authenticator is lost, which are shown once. Null when the code is wrong or was used before. */
export async function enableTotp(world: World, username: string, code: string): Promise<string[] | null> {
  const user = await signedInUser(world, username)
  const counted = await beginSignIn(world.pool, inSession(username), world.now())
  if (counted === null || !(await takeCode(world, user, code, 'enable'))) return null
  await endSignIn(world.pool, inSession(username), null)
  const { codes, hashes } = newRecoveryCodes()
  await putRecoveryCodes(world.pool, username, hashes)
  return codes
}

export async function disableTotp(
  world: World,
  { username, password, code }: { username: string; password: string; code: string },
): Promise<'disabled' | 'wrong_password' | 'wrong_code'> {
  const user = await provenUser(world, username, password)
  if (user === null) return 'wrong_password'
  if (!user.isTotpEnabled || !(await takeCode(world, user, code, 'use'))) return 'wrong_code'
  await endSignIn(world.pool, inSession(username), null)
  await turnTotpOff(world.pool, username)
  return 'disabled'
}
