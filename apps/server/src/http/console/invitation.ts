/** The page behind an invitation's link: it tells whom the link invites, and makes the user. The link's secret is in no address. */
import type { InvitationShown, Role } from '@acopay/protocol/console'
import { findConsoleUser, type Invitation } from '@acopay/store/read'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { audited } from '../../actions/console/audit.ts'
import { accept, invitationOf } from '../../actions/console/invitations.ts'
import type { World } from '../../world.ts'
import { Began, Failed, failed } from './call.ts'
import { fieldsOf } from './fields.ts'
import { newPasswordIn } from './new-password.ts'
import { openCall } from './open-calls.ts'
import type { Parts } from './parts.ts'
import { broken } from './respond.ts'

/** The same answer for every reason, so that a caller cannot find out which links or names there are. */
const NO_INVITATION = () =>
  failed(
    'NOT_FOUND',
    '邀请链接无效：它可能不完整，或已被使用、撤销或过期；请向邀请您的人再要一个',
    'This invitation is not good: its link may be cut short, or was used, revoked or is over; ask for another one',
  )

const NAME_TAKEN = () =>
  failed(
    'CONFLICT',
    '用户名已被占用；请向邀请您的人要另一个用户名的邀请',
    'The name is taken meanwhile; ask for an invitation with another name',
  )

const TOKEN_MAX = 64

async function invitationIn(
  world: World,
  body: Record<string, unknown>,
): Promise<(Invitation & { token: string }) | Failed> {
  const token = fieldsOf(body).text('token', TOKEN_MAX)
  const found = token === null ? null : await invitationOf(world, token)
  return found === null ? NO_INVITATION() : { ...found, token: token ?? '' }
}

async function shown(world: World, body: Record<string, unknown>): Promise<InvitationShown | Failed> {
  const found = await invitationIn(world, body)
  if (found instanceof Failed) return found
  const { username, role, mchNo, expiresAt } = found
  return { username, role: role as Role, mch_no: mchNo, expires_at: expiresAt.toISOString() }
}

async function accepted(world: World, body: Record<string, unknown>, request: FastifyRequest): Promise<Began | Failed> {
  const found = await invitationIn(world, body)
  if (found instanceof Failed) return found
  const { token, username, mchNo, invitationNo } = found
  const password = await newPasswordIn(fieldsOf(body), { username })
  if (password instanceof Failed) return password
  const address = request.ip
  const begun = async (): Promise<Began | Failed> => {
    const result = await accept(world, { token, username, password, address })
    if (result.kind === 'taken') return NAME_TAKEN()
    const user = result.kind === 'begun' ? await findConsoleUser(world.pool, username) : null
    return result.kind !== 'begun' || user === null ? NO_INVITATION() : new Began(result.token, user)
  }
  const detail = { invitation: invitationNo }
  return audited(
    world,
    { username, address, action: 'invitations.accept', mchNo, subject: username, detail },
    {
      stateOf: async () => ({}),
      run: () => begun().catch((error: unknown) => broken(world, request, error)),
      outcomeOf: (answer) => (answer instanceof Failed ? answer.failure.error : 'DONE'),
    },
  )
}

export function invitationRoutes(scope: FastifyInstance, parts: Parts): void {
  scope.post('/console/api/invitation', (request, reply) =>
    openCall(parts, [request, reply], (body) => shown(parts.world, body)),
  )
  scope.post('/console/api/invitation/accept', (request, reply) =>
    openCall(parts, [request, reply], (body) => accepted(parts.world, body, request)),
  )
}
