/** Which roles a user can be given, and the state of a user. */
import { isMerchantRole, ROLES, type Role, type UserRow } from '@acopay/protocol/console'

export function stateOf({ enabled, locked_until }: Pick<UserRow, 'enabled' | 'locked_until'>) {
  if (!enabled) return 'disabled'
  return locked_until === null ? 'enabled' : 'locked'
}

/** For a new user: a merchant's admin adds users of the merchant only. */
export const rolesToAdd = (adminsMchNo: string | null): Role[] =>
  ROLES.filter((role) => adminsMchNo === null || isMerchantRole(role))

/** For a change: a merchant's user stays with its merchant, a platform's with the platform. */
export const rolesToChange = (usersMchNo: string | null): Role[] =>
  ROLES.filter((role) => isMerchantRole(role) === (usersMchNo !== null))

/** The merchant of a new user; null for a role of the platform. `chosen`: what the form says. */
export const merchantOfNew = (role: Role, adminsMchNo: string | null, chosen: string | null): string | null =>
  isMerchantRole(role) ? (adminsMchNo ?? chosen) : null
