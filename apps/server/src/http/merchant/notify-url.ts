/** Refuses a `notify_url` that the gateway would never call, instead of giving up its notifications a day later. */
import { type Refusal, refuse } from '@acopay/protocol'
import type { World } from '../../world.ts'

const SAYS = {
  port: 'notify_url 的端口不在允许之列',
  address: 'notify_url 应为公网地址',
} as const

/** Null when the gateway may call it, or none was given. Host names are resolved only when they are called. */
export function notifyUrlRefusal(world: World, notifyUrl: string | null): Refusal | null {
  const refused = notifyUrl === null ? null : world.urlRefusal(new URL(notifyUrl))
  return refused === null ? null : refuse('PARAM_ERROR', SAYS[refused])
}
