/** Invitations to the console. A platform admin invites everybody, a merchant's admin to its own merchant. */
import type { InvitationList, InvitationMade, InvitationRow } from '@acopay/protocol/console'
import { type Invitation, listInvitations } from '@acopay/store/read'
import { endInvitation, invitationNamed, invite } from '../../../actions/console/invitations.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed } from '../call.ts'
import { briefOf, fieldsOf } from '../fields.ts'
import { pageOf } from '../places.ts'
import { NAME_TAKEN, newUserIn } from './users.ts'

function stateOf({ usedAt, revokedAt, expiresAt }: Invitation, now: Date): InvitationRow['state'] {
  if (usedAt !== null) return 'USED'
  if (revokedAt !== null) return 'REVOKED'
  return expiresAt > now ? 'OPEN' : 'EXPIRED'
}

const rowOf = (one: Invitation, now: Date): InvitationRow => ({
  invitation_no: one.invitationNo,
  username: one.username,
  role: one.role as InvitationRow['role'],
  mch_no: one.mchNo,
  invited_by: one.invitedBy,
  state: stateOf(one, now),
  created_at: one.createdAt.toISOString(),
  expires_at: one.expiresAt.toISOString(),
})

async function list(world: World, { caller, query }: ConsoleCall): Promise<InvitationList | Failed> {
  const read = fieldsOf(query)
  const [before, limit] = [read.text('after', 64), read.limit()]
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const found = await listInvitations(world.pool, { mchNo: caller.mchNo, before }, limit + 1)
  const now = world.now()
  const rows = found.map((one) => rowOf(one, now))
  return pageOf(rows, limit, ({ invitation_no }) => invitation_no)
}

/** The page below /console/ that a link opens. Browsers send no server what follows a `#`, in no address and no Referer. */
const pathOf = (token: string): string => `/console/invitation#${token}`

async function add(world: World, call: ConsoleCall): Promise<InvitationMade | Failed> {
  const user = await newUserIn(world, call)
  if (user instanceof Failed) return user
  const invited = await invite(world, { ...user, invitedBy: call.caller.username })
  switch (invited.kind) {
    case 'taken':
      return NAME_TAKEN()
    case 'invited':
      return failed(
        'CONFLICT',
        '该用户名已有未使用的邀请；如链接丢失，请先撤销它',
        'This name is invited already; where the link is lost, revoke it first',
        { field: 'username' },
      )
    case 'added':
      return { invitation: rowOf(invited.invitation, world.now()), path: pathOf(invited.token) }
  }
}

const ABSENT = () =>
  failed(
    'NOT_FOUND',
    '没有这个未使用的邀请，它可能已被使用、撤销或过期',
    'There is no such open invitation; it may be used, revoked or over',
  )

/** The invitation in a call's path, if the caller may see it. To a merchant's admin those of others do not exist. */
async function invitationAt(world: World, { caller, path }: ConsoleCall): Promise<Invitation | null> {
  const found = await invitationNamed(world, path.invitation_no ?? '')
  return found === null || (caller.mchNo !== null && found.mchNo !== caller.mchNo) ? null : found
}

async function revoke(world: World, call: ConsoleCall): Promise<object | Failed> {
  const found = await invitationAt(world, call)
  return found !== null && (await endInvitation(world, found.invitationNo)) ? {} : ABSENT()
}

async function stateBefore(world: World, call: ConsoleCall): Promise<Record<string, unknown>> {
  const found = await invitationAt(world, call)
  return found === null ? {} : { state: stateOf(found, world.now()) }
}

export const invitationEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'invitations', permission: 'users.read', handle: list },
  {
    method: 'POST',
    path: 'invitations',
    permission: 'users.write',
    needsProof: () => true,
    action: 'invitations.add',
    audited: ({ body }) => ({
      mchNo: typeof body.mch_no === 'string' ? body.mch_no.slice(0, 32) : null,
      subject: briefOf(body.username, 64),
      detail: { role: briefOf(body.role, 32) },
    }),
    handle: add,
  },
  {
    // Needs no proof: it takes a right away, and must be quick.
    method: 'DELETE',
    path: 'invitations/:invitation_no',
    permission: 'users.write',
    action: 'invitations.revoke',
    stateOf: stateBefore,
    audited: async (call, world) => {
      const found = await invitationNamed(world, call.path.invitation_no ?? '')
      return { mchNo: found?.mchNo ?? null, subject: briefOf(call.path.invitation_no, 38) }
    },
    handle: revoke,
  },
]
