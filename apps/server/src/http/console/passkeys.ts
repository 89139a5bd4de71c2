/** The user's own passkeys: listed, registered, removed. */
import type { PasskeyAdded, PasskeyList, PasskeyOptions } from '@acopay/protocol/console'
import { askForPasskey, beginPasskey, dropPasskey, makePasskey, passkeysOf } from '../../actions/console/passkeys.ts'
import type { World } from '../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, type Failed, failed } from './call.ts'
import { briefOf, fieldsOf } from './fields.ts'
import { newPasskeyIn } from './passkey-fields.ts'
import { userState } from './system/users.ts'

const NAME_MAX = 64

async function list(world: World, { caller }: ConsoleCall): Promise<PasskeyList> {
  const passkeys = await passkeysOf(world, caller.username)
  return {
    rows: passkeys.map(({ id, name, createdAt, usedAt }) => ({
      id,
      name,
      created_at: createdAt.toISOString(),
      used_at: usedAt?.toISOString() ?? null,
    })),
  }
}

const NO_SITE = () =>
  failed(
    'CONFLICT',
    '通行密钥只能在 https:// 的域名或 http://localhost 下使用；生产环境请设置 ACOPAY_PUBLIC_URL',
    'Passkeys work at an https:// address with a name, or at http://localhost; in production set ACOPAY_PUBLIC_URL',
  )

async function begin(world: World, { caller: { username, passkeySite } }: ConsoleCall) {
  return passkeySite === null ? NO_SITE() : beginPasskey(world, username, passkeySite)
}

async function add(world: World, { caller, body }: ConsoleCall): Promise<PasskeyAdded | Failed> {
  const { username, passkeySite: site } = caller
  if (site === null) return NO_SITE()
  const read = fieldsOf(body)
  const name = read.needed('name', NAME_MAX).trim()
  if (name === '') read.say('name', '不能为空', 'is missing')
  const answer = newPasskeyIn(body, read.say)
  const wrong = read.failed()
  if (wrong !== null || answer === null) return wrong ?? REFUSED()
  const made = await makePasskey(world, username, { site, name, answer })
  switch (made.kind) {
    case 'refused':
      return REFUSED()
    case 'too_many':
      return failed('CONFLICT', '通行密钥已达上限，请先移除一个', 'You have as many as there may be; remove one first')
    case 'known':
      return failed('CONFLICT', '此通行密钥已登记过', 'This passkey is registered already')
    case 'added':
      return { recovery_codes: made.recoveryCodes }
  }
}

const REFUSED = () =>
  failed(
    'FIELD_INVALID',
    'passkey 无效或已超过5分钟，请重试',
    'passkey is not valid, or took over five minutes; try again',
    {
      field: 'passkey',
    },
  )

async function remove(world: World, { caller, path: { id = '' } }: ConsoleCall): Promise<object | Failed> {
  if (await dropPasskey(world, caller.username, id)) return {}
  return failed('NOT_FOUND', '没有这个通行密钥', 'There is no such passkey')
}

/** What the browser is asked for at a proof. */
async function beginProof(world: World, { caller }: ConsoleCall): Promise<PasskeyOptions | Failed> {
  const { username, passkeySite } = caller
  if (passkeySite === null) return NO_SITE()
  const options = await askForPasskey(world, username, 'prove', passkeySite)
  return options ?? failed('NOT_FOUND', '您没有通行密钥', 'You have no passkey')
}

const ownState = (world: World, { caller }: ConsoleCall) => userState(world, caller, caller.username)

export const passkeyEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'passkeys', permission: null, isForSecondFactor: true, handle: list },
  // A challenge changes nothing that a user has, so it is not in the audit log.
  {
    method: 'POST',
    path: 'passkey-challenge',
    permission: null,
    isForSecondFactor: true,
    needsProof: () => true,
    handle: begin,
  },
  {
    method: 'POST',
    path: 'passkeys',
    permission: null,
    isForSecondFactor: true,
    needsProof: () => true,
    action: 'session.passkey_add',
    audited: ({ body }) => ({ mchNo: null, subject: briefOf(body.name, NAME_MAX) }),
    stateOf: ownState,
    handle: add,
  },
  {
    method: 'DELETE',
    path: 'passkeys/:id',
    permission: null,
    needsProof: () => true,
    action: 'session.passkey_remove',
    audited: ({ path }) => ({ mchNo: null, subject: briefOf(path.id, 16) }),
    stateOf: ownState,
    handle: remove,
  },
  { method: 'POST', path: 'session/proof/challenge', permission: null, handle: beginProof },
]
