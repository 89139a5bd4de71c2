/** A user sees from where they are signed in, and ends what they do not know. */
import type { SessionList } from '@acopay/protocol/console'
import { endSessionOf, sessionsOf } from '../../actions/console/session.ts'
import type { World } from '../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, type Failed, failed } from './call.ts'
import { briefOf } from './fields.ts'

async function list(world: World, { caller: { username, sessionKey } }: ConsoleCall): Promise<SessionList> {
  const open = await sessionsOf(world, username, sessionKey)
  return {
    rows: open.map(({ id, address, createdAt, seenAt, isThis }) => ({
      id,
      address,
      created_at: createdAt.toISOString(),
      seen_at: seenAt.toISOString(),
      is_this: isThis,
    })),
  }
}

async function end(world: World, { caller: { username }, path: { id = '' } }: ConsoleCall): Promise<object | Failed> {
  if (await endSessionOf(world, username, id)) return {}
  return failed('NOT_FOUND', '没有这个登录，可能已结束', 'There is no such session; it may have ended')
}

export const ownSessionEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'sessions', permission: null, handle: list },
  {
    method: 'DELETE',
    path: 'sessions/:id',
    permission: null,
    action: 'session.end_other',
    audited: ({ path }) => ({ mchNo: null, subject: briefOf(path.id, 16) }),
    handle: end,
  },
]
