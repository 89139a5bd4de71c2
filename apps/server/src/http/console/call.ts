/**
 * An endpoint of the console's API: one object. Before `handle` is called, `routes.ts` and `respond.ts` have checked the rate,
 * the session, the CSRF token and the role's permission; they also write the audit log.
 */
import type { AuditAction, Failure, Permission, Role } from '@acopay/protocol/console'
import { type ArchivedOrder, findArchivedOrder, findOrder, type Order, type SessionUser } from '@acopay/store/read'
import type { PasskeySite } from '../../security/passkey-site.ts'
import type { World } from '../../world.ts'

/** The user who calls. A user whose `mchNo` is null sees every merchant. */
export type Caller = {
  username: string
  role: Role
  mchNo: string | null
  permissions: readonly Permission[]
  /** The SHA-256 of the session's cookie: the database stores this and not the cookie. */
  sessionKey: Buffer
  address: string
  /** Where passkeys work, for the address that was called; null: nowhere. */
  passkeySite: PasskeySite | null
}

export type ConsoleCall = {
  caller: Caller
  /** The named parts of the path. */
  path: Record<string, string>
  query: Record<string, string>
  /** A JSON object; empty where the body is empty. */
  body: Record<string, unknown>
  /** The longest page of a list, where an export reads it. */
  pageMax?: number
}

/** An answer that is not 200. Made by `failed`. */
export class Failed {
  readonly status: number
  readonly failure: Failure
  constructor(status: number, failure: Failure) {
    this.status = status
    this.failure = failure
  }
}

const STATUS: Record<Failure['error'], number> = {
  FIELD_INVALID: 400,
  SIGN_IN_FIRST: 401,
  SIGN_IN_FAILED: 401,
  TOTP_REQUIRED: 401,
  CSRF_MISSING: 403,
  PASSWORD_CHANGE_FIRST: 403,
  TOTP_FIRST: 403,
  PROOF_NEEDED: 403,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  FREQUENCY_LIMIT: 429,
  SYSTEM_ERROR: 500,
}

/** A refusal as a value: handlers return it, they do not throw it. */
export const failed = (
  error: Failure['error'],
  zh: string,
  en: string,
  more: Pick<Failure, 'field' | 'retry_after_s' | 'second_factor'> = {},
): Failed => new Failed(STATUS[error], { error, message: { zh, en }, ...more })

/** A new session in place of the caller's. The routes send its cookie to the browser. */
export class Began {
  readonly token: string
  readonly user: SessionUser
  constructor(token: string, user: SessionUser) {
    this.token = token
    this.user = user
  }
}

/** The browser leaves for the identity provider. The routes send the trip's cookie to it. */
export class Departs {
  readonly tripToken: string
  readonly url: string
  constructor(tripToken: string, url: string) {
    this.tripToken = tripToken
    this.url = url
  }
}

/** An answer that is a file instead of JSON. */
export type ConsoleFile = { file: string; contentType: string; chunks: AsyncIterable<Uint8Array | string> }
export const isFile = (answer: unknown): answer is ConsoleFile =>
  typeof answer === 'object' && answer !== null && 'chunks' in answer && 'file' in answer

/** A call's entry in the audit log. It must hold nothing secret. */
export type Audited = { mchNo: string | null; subject: string | null; detail?: Record<string, unknown> }

export type ConsoleEndpoint = {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below /console/api/, with fastify's `:name` for its parts. */
  path: string
  /** Null: every user who is signed in. */
  permission: Permission | null
  /** The endpoint works even while the user must change the password first. */
  isAlwaysOpen?: true
  /** The endpoint works even while the user must first get a second factor. */
  isForSecondFactor?: true
  /** Whether an open session is not enough: the user must have proved who they are in the last ten minutes. */
  needsProof?: (call: ConsoleCall, world: World) => boolean
  /** The call's name in the audit log; for every call that changes something. */
  action?: AuditAction
  /** Called before `handle`. A merchant's user is always logged under its own merchant, whatever the call names. */
  audited?: (call: ConsoleCall, world: World) => Audited | Promise<Audited>
  /**
   * What the call may change, by name and without secrets. It is read before and after the call; what differs is in the audit log.
   * Empty where there is no such thing, or the caller may not see it.
   */
  stateOf?: (world: World, call: ConsoleCall) => Promise<Record<string, unknown>>
  handle: (world: World, call: ConsoleCall) => Promise<object | Failed>
}

/**
 * The merchant a list is about: the caller's own, the one asked for, or null for all. Another merchant's is refused in the
 * same words as one that does not exist.
 */
export function merchantOf(caller: Caller, asked: string | undefined): string | null | Failed {
  if (caller.mchNo === null) return asked ?? null
  return asked === undefined || asked === caller.mchNo ? caller.mchNo : notTheirs()
}

/** The same for a call that is about one merchant. */
export const oneMerchantOf = ({ mchNo }: Caller, asked: string): string | Failed =>
  mchNo === null || asked === mchNo ? asked : notTheirs()

/** A merchant's user asked for another merchant. */
export const notTheirs = (): Failed =>
  failed('FORBIDDEN', '您无权查看其他商户的数据', 'You may not see what belongs to another merchant')

/** No order has this number, or the order belongs to a merchant that the caller may not see. */
export const ABSENT = () => failed('NOT_FOUND', '没有这个订单', 'There is no such order')

/** Its rows lie in a file; how it ended is known. */
const ARCHIVED = ({ archiveNo, mchTradeNo, state }: ArchivedOrder) =>
  failed(
    'NOT_FOUND',
    `订单已归档：${archiveNo}，商户订单号 ${mchTradeNo}，终态 ${state}。需要时用 acopay archive restore 恢复`,
    `This order is archived: ${archiveNo}, merchant's number ${mchTradeNo}, ended as ${state}. acopay archive restore brings it back`,
  )

/** The order in a call's path, if the caller may see its merchant. */
export async function orderOf(world: World, { caller, path }: ConsoleCall): Promise<Order | Failed> {
  const { mch_no = '', transaction_no = '' } = path
  const mchNo = merchantOf(caller, mch_no)
  if (mchNo instanceof Failed) return mchNo
  const order = await findOrder(world.pool, mch_no, { transactionNo: transaction_no })
  if (order !== null) return order
  const archived = await findArchivedOrder(world.pool, mch_no, { transactionNo: transaction_no })
  return archived === null ? ABSENT() : ARCHIVED(archived)
}
