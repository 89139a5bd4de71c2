/**
 * One call of the console's API, from top to bottom: session, CSRF token, password that must be changed, permission, audit
 * log, and only then the endpoint's own work.
 */

import { Readable } from 'node:stream'
import { parseJson } from '@acopay/protocol'
import { ALLOWED, type Permission, type Role } from '@acopay/protocol/console'
import type { ConsoleSession } from '@acopay/store/read'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { audited } from '../../actions/console/audit.ts'
import { isProven, sessionKey, useSession } from '../../actions/console/session.ts'
import { HashingBusy } from '../../security/hashing.ts'
import type { World } from '../../world.ts'
import { type Caller, type ConsoleCall, type ConsoleEndpoint, Failed, failed, isFile } from './call.ts'
import { csrfOf, mustTurnTotpOn } from './session.ts'

/** The caller's session: what its cookie holds. */
export type Token = string | undefined

/** The parts of a path are numbers and names, which are made of these characters. */
const PART = /^[\w.:-]{1,100}$/

/** A page that reloads its data without a user at it sends `x-acopay-idle`, which keeps no session open. */
export const userOf = (world: World, token: string, { headers }: FastifyRequest): Promise<ConsoleSession | null> =>
  useSession(world, token, headers['x-acopay-idle'] === undefined)

export async function respond(
  world: World,
  endpoint: ConsoleEndpoint,
  request: FastifyRequest,
  token: Token,
): Promise<object | Failed> {
  const user = token === undefined ? null : await userOf(world, token, request)
  if (token === undefined || user === null) return failed('SIGN_IN_FIRST', '请先登录', 'Sign in first')
  const refused = refusalOf(world, endpoint, request, { token, user })
  if (refused !== null) return refused
  const body = endpoint.method === 'GET' ? {} : readBody(request)
  if (body instanceof Failed) return body
  const path = request.params as Record<string, string>
  if (Object.values(path).some((part) => !PART.test(part)))
    return failed('NOT_FOUND', '没有这个对象', 'There is no such thing')
  const caller = callerOf(world, request, { token, user })
  if (caller.mchNo !== null) request.line.mchNo = caller.mchNo
  const call = { caller, path, query: readQuery(request.url), body }
  if (endpoint.needsProof?.(call, world) === true && !isProven(world, user)) {
    return failed('PROOF_NEEDED', '请再次输入密码', 'Enter your password again')
  }
  return handled(world, endpoint, call, request)
}

/** Why this user may not make this call now; null when it may. */
function refusalOf(
  world: World,
  endpoint: ConsoleEndpoint,
  request: FastifyRequest,
  { token, user }: { token: string; user: ConsoleSession },
): Failed | null {
  if (endpoint.method !== 'GET' && request.headers['x-acopay-csrf'] !== csrfOf(token)) {
    return failed('CSRF_MISSING', '页面已过期，请刷新后重试', 'The page is out of date; reload it and try again')
  }
  if (user.mustChangePassword && endpoint.isAlwaysOpen !== true) {
    return failed('PASSWORD_CHANGE_FIRST', '请先修改密码', 'Change your password first')
  }
  if (mustTurnTotpOn(world, user) && endpoint.isAlwaysOpen !== true && endpoint.isForSecondFactor !== true) {
    return failed(
      'TOTP_FIRST',
      '您的角色须先启用动态验证码，或登记通行密钥',
      'Your role needs an authenticator or a passkey: set one up first',
    )
  }
  if (endpoint.permission !== null && !permissionsOf(user).includes(endpoint.permission)) {
    return failed('FORBIDDEN', '您的角色没有此权限', 'Your role does not allow this')
  }
  return null
}

const permissionsOf = (user: ConsoleSession): readonly Permission[] => ALLOWED[user.role as Role]

const callerOf = (
  world: World,
  request: FastifyRequest,
  { token, user }: { token: string; user: ConsoleSession },
): Caller => ({
  username: user.username,
  role: user.role as Role,
  mchNo: user.mchNo,
  permissions: permissionsOf(user),
  sessionKey: sessionKey(token),
  address: request.ip,
  passkeySite: world.consoleRules.passkeySiteOf(request.host),
})

/** Calls the endpoint; a call that changes something goes through the audit log. */
async function handled(
  world: World,
  endpoint: ConsoleEndpoint,
  call: ConsoleCall,
  request: FastifyRequest,
): Promise<object | Failed> {
  if (endpoint.action === undefined) return endpoint.handle(world, call)
  const { username, mchNo, address } = call.caller
  const about = (await endpoint.audited?.(call, world)) ?? { mchNo, subject: null }
  const entry = {
    username,
    address,
    action: endpoint.action,
    mchNo: plain(mchNo ?? about.mchNo),
    subject: plain(about.subject),
    detail: about.detail ?? {},
  }
  const stateOf = async () => endpoint.stateOf?.(world, call) ?? {}
  return audited(world, entry, {
    stateOf,
    run: () => endpoint.handle(world, call).catch((error: unknown) => broken(world, request, error)),
    outcomeOf: (answer) => (answer instanceof Failed ? answer.failure.error : 'DONE'),
  })
}

/** Text that the database can store and the pages can show, whatever the caller sent. */
const plain = (text: string | null): string | null =>
  text?.replace(/[^\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]/g, '?') ?? null

export const TOO_OFTEN = (): Failed =>
  failed('FREQUENCY_LIMIT', '请求过于频繁，请稍后再试', 'Too many requests; wait a moment', { retry_after_s: 1 })

export function broken(world: World, request: FastifyRequest, error: unknown): Failed {
  if (error instanceof HashingBusy) return TOO_OFTEN()
  world.log.error({ requestId: request.id, err: error }, 'request failed')
  return failed('SYSTEM_ERROR', '系统繁忙，请稍后再试', 'Something failed on our side; try again')
}

export function send(request: FastifyRequest, reply: FastifyReply, answer: object): FastifyReply {
  reply.header('cache-control', 'no-store')
  request.line.outcome = answer instanceof Failed ? answer.failure.error : 'DONE'
  if (answer instanceof Failed) {
    const { retry_after_s } = answer.failure
    if (retry_after_s !== undefined) reply.header('retry-after', String(retry_after_s))
    return reply.code(answer.status).send(answer.failure)
  }
  if (!isFile(answer)) return reply.send(answer)
  return reply
    .header('content-disposition', `attachment; filename="${answer.file}"`)
    .type(answer.contentType)
    .send(Readable.from(answer.chunks))
}

/** A JSON object, empty where nothing was sent. */
export function readBody({ body }: FastifyRequest): Record<string, unknown> | Failed {
  if (!Buffer.isBuffer(body) || body.length === 0) return {}
  try {
    const value = parseJson(body.toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Text that is not JSON is refused below.
  }
  return failed('FIELD_INVALID', '请求体应为JSON对象', 'The body should be a JSON object', { field: 'body' })
}

const readQuery = (url: string): Record<string, string> =>
  Object.assign(Object.create(null), Object.fromEntries(new URL(url, 'http://console').searchParams))
