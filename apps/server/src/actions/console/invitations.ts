/** Invites people to the console by a link, and makes the user of whoever opens it. */
import { createHash, randomBytes } from 'node:crypto'
import { DAY_MS } from '@acopay/core'
import { INVITATION_HOURS } from '@acopay/protocol/console'
import {
  acceptInvitation,
  addInvitation,
  endSignIn,
  findInvitation,
  forgetInvitations,
  type Invitation,
  openInvitation,
  revokeInvitation,
} from '@acopay/store/console'
import { platformNumber } from '../../security/numbers.ts'
import { hashPassword } from '../../security/passwords.ts'
import type { World } from '../../world.ts'
import { beginSession } from './session.ts'

const HOUR_MS = 3_600_000
/** How long the list shows invitations that have ended. */
const KEPT_MS = 90 * DAY_MS

const TOKEN_BYTES = 32

/** The database stores this hash of the link's secret instead of the secret. */
const linkKeyOf = (token: string): Buffer => createHash('sha256').update(`invitation ${token}`, 'utf8').digest()

type Asked = Pick<Invitation, 'username' | 'role' | 'mchNo' | 'invitedBy'>

/** `token`: the secret of the link. It is in this answer and nowhere else. */
export type Invited = { kind: 'taken' | 'invited' } | { kind: 'added'; invitation: Invitation; token: string }

export async function invite(world: World, asked: Asked): Promise<Invited> {
  const now = world.now()
  await forgetInvitations(world.pool, new Date(now.getTime() - KEPT_MS))
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const invitationNo = platformNumber('IV', now, world.newDigits(19))
  const expiresAt = new Date(now.getTime() + INVITATION_HOURS * HOUR_MS)
  const added = await addInvitation(world.pool, { ...asked, invitationNo, expiresAt, linkKey: linkKeyOf(token) }, now)
  if (added !== 'added') return { kind: added }
  const invitation = { ...asked, invitationNo, createdAt: now, expiresAt, usedAt: null, revokedAt: null }
  return { kind: 'added', invitation, token }
}

export const invitationOf = (world: World, token: string): Promise<Invitation | null> =>
  openInvitation(world.pool, linkKeyOf(token), world.now())

export const invitationNamed = (world: World, invitationNo: string): Promise<Invitation | null> =>
  findInvitation(world.pool, invitationNo)

/** False where it is not open. */
export const endInvitation = (world: World, invitationNo: string): Promise<boolean> =>
  revokeInvitation(world.pool, invitationNo, world.now())

export type Accepted = { kind: 'taken' | 'ended' } | { kind: 'begun'; token: string }

/** Makes the user with this password, and signs in. The password is hashed first: no row is locked while that takes its time. */
export async function accept(
  world: World,
  { token, username, password, address }: { token: string; username: string; password: string; address: string },
): Promise<Accepted> {
  const passwordHash = await hashPassword(world.hashing, password)
  const result = await acceptInvitation(world.pool, { linkKey: linkKeyOf(token), passwordHash }, world.now())
  if (result !== 'accepted') return { kind: result }
  await endSignIn(world.pool, { username, origin: 'invitation' }, world.now())
  return { kind: 'begun', token: await beginSession(world, username, address) }
}
