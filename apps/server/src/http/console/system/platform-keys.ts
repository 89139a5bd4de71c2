/** The keys with which the platform signs. A new one is shown to merchants before it signs; docs/keys.md. */
import type { PlatformKeyList, PlatformKeyRow } from '@acopay/protocol/console'
import { listPlatformKeys, platformKeys } from '@acopay/store/read'
import { addPlatformKeyIn, endPlatformKeyNow } from '../../../actions/console/platform-keys.ts'
import { KEY_DAYS_MAX } from '../../../security/platform-key.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, type Failed, failed } from '../call.ts'
import { fieldsOf } from '../fields.ts'

async function list(world: World): Promise<PlatformKeyList> {
  const keys = await listPlatformKeys(world.pool)
  const [signing] = await platformKeys(world.pool, world.now())
  const rows = keys.map(
    (key): PlatformKeyRow => ({
      key_id: key.keyId,
      public_key: key.publicKey,
      valid_from: key.validFrom.toISOString(),
      valid_until: key.validUntil?.toISOString() ?? null,
      signs_now: key.keyId === signing?.keyId,
    }),
  )
  return { rows, next: null }
}

async function add(world: World, { body }: ConsoleCall): Promise<{ key_id: string } | Failed> {
  const read = fieldsOf(body)
  const days = read.whole('days', 0, KEY_DAYS_MAX)
  if (days === null) read.say('days', '不能为空', 'is missing')
  const wrong = read.failed()
  if (wrong !== null) return wrong
  return { key_id: await addPlatformKeyIn(world, days ?? 0) }
}

async function end(world: World, { path }: ConsoleCall): Promise<object | Failed> {
  switch (await endPlatformKeyNow(world, path.key_id ?? '')) {
    case 'ended':
      return {}
    case 'absent':
      return failed('NOT_FOUND', '没有这把有效的平台密钥', 'There is no such valid platform key')
    case 'owner only':
      return failed(
        'CONFLICT',
        '网关的数据库角色不能停用密钥，请以表的所有者运行 acopay-server rotate end 密钥编号',
        "The gateway's database role may not end keys: run acopay-server rotate end KEY_ID as the owner of the tables",
      )
    case 'last':
      return failed(
        'CONFLICT',
        '没有其他密钥可以签名，请先添加新密钥（0天后签名）',
        'No other key can sign: add one first that signs after 0 days',
      )
  }
}

/** Each key's times, by its id. */
async function stateOf(world: World): Promise<Record<string, unknown>> {
  const keys = await listPlatformKeys(world.pool)
  return Object.fromEntries(keys.map(({ keyId, validFrom, validUntil }) => [keyId, { validFrom, validUntil }]))
}

const write = { permission: 'platform_keys.write', needsProof: () => true, stateOf } as const

export const platformKeyEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'platform-keys', permission: 'platform_keys.write', handle: list },
  {
    method: 'POST',
    path: 'platform-keys',
    ...write,
    action: 'platform_keys.add',
    audited: () => ({ mchNo: null, subject: null }),
    handle: add,
  },
  {
    method: 'DELETE',
    path: 'platform-keys/:key_id',
    ...write,
    action: 'platform_keys.end',
    audited: ({ path }) => ({ mchNo: null, subject: path.key_id ?? null }),
    handle: end,
  },
]
