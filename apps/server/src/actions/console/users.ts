/** Adds and changes users of the console. */
import {
  addConsoleUser,
  changeConsoleUser,
  endConsoleSessions,
  endTripsOf,
  type NewConsoleUser,
  revokeInvitationsOf,
  unlinkSubjects,
} from '@acopay/store/console'
import { hashPassword, newPassword, oneTimeEnd } from '../../security/passwords.ts'
import type { World } from '../../world.ts'

/** Returns the one-time password of the new user; null when the name is taken. */
export async function addUser(
  world: World,
  user: Pick<NewConsoleUser, 'username' | 'role' | 'mchNo'>,
): Promise<string | null> {
  const now = world.now()
  const password = newPassword()
  const passwordHash = await hashPassword(world.hashing, password)
  const added = { ...user, passwordHash, mustChangePassword: true, passwordEndsAt: oneTimeEnd(now) }
  const isNew = await addConsoleUser(world.pool, added, now)
  return isNew ? password : null
}

/** Null leaves a value as it is. */
export type UserChange = {
  role: string | null
  isEnabled: boolean | null
  unlock: boolean
  resetPassword: boolean
  dropSecondFactor: boolean
}

/** Returns the new one-time password; null where the password stays. */
export async function changeUser(world: World, username: string, change: UserChange): Promise<string | null> {
  const { role, isEnabled, unlock, resetPassword, dropSecondFactor } = change
  const password = resetPassword ? newPassword() : null
  await changeConsoleUser(world.pool, username, {
    ...(role === null ? {} : { role }),
    ...(isEnabled === null ? {} : { isEnabled }),
    ...(password === null
      ? {}
      : { password: { hash: await hashPassword(world.hashing, password), endsAt: oneTimeEnd(world.now()) } }),
    unlock: unlock || resetPassword,
    dropSecondFactor,
  })
  // Disabling a user or changing the role, password or second factor ends the user's sessions at once, and the links that it gave out:
  // whoever had taken the account over may have invited somebody.
  if (resetPassword || isEnabled === false || role !== null || dropSecondFactor) {
    await endConsoleSessions(world.pool, username)
    await revokeInvitationsOf(world.pool, username, world.now())
    await endTripsOf(world.pool, username)
  }
  // A new password shuts out whoever had linked an account of their own.
  if (resetPassword) await unlinkSubjects(world.pool, username)
  return password
}
