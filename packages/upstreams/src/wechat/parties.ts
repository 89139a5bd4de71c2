/**
 * Whose a call is. A merchant calls for itself; a service provider ("服务商模式") calls for a sub-merchant, below `/partner/`.
 * Refunds and bills have one path for both.
 */
import type { Trade } from '../trade.ts'
import type { WechatStandInSettings } from './settings.ts'

type Fields = Record<string, unknown>

/** The word and the status with which WeChat Pay refuses a call as not this account's; null when it is its own. */
export type Stranger = { status: number; code: string } | null

const NO_AUTH: Stranger = { status: 403, code: 'NO_AUTH' }
const NOT_MATCH: Stranger = { status: 400, code: 'APPID_MCHID_NOT_MATCH' }
const PARAM_ERROR: Stranger = { status: 400, code: 'PARAM_ERROR' }
const INVALID_REQUEST: Stranger = { status: 400, code: 'INVALID_REQUEST' }

const isPartnerPath = (path: string): boolean => path.startsWith('/v3/pay/partner/')

/** A transaction to be placed names merchants and apps. */
export function placesForStranger(settings: WechatStandInSettings, path: string, body: Fields): Stranger {
  const { mchId, appId, subMchId, subAppId } = settings
  // A mini-program has the path of JSAPI, and none of the others.
  const mini = path.endsWith('/jsapi') ? settings.miniAppId : undefined
  const isOneOf = (given: unknown, ...known: unknown[]): boolean => typeof given === 'string' && known.includes(given)
  if (isPartnerPath(path) !== (subMchId !== undefined)) return NO_AUTH
  if (subMchId === undefined) return body.mchid === mchId && isOneOf(body.appid, appId, mini) ? null : NOT_MATCH
  if (body.sp_mchid !== mchId || body.sp_appid !== appId) return NOT_MATCH
  if (typeof body.sub_mchid !== 'string') return PARAM_ERROR
  if (body.sub_mchid !== subMchId) return NO_AUTH
  return body.sub_appid === undefined || isOneOf(body.sub_appid, subAppId, mini) ? null : NOT_MATCH
}

/** A transaction that exists is asked for, or closed, by merchants alone. */
export function asksForStranger(
  { mchId, subMchId }: WechatStandInSettings,
  path: string,
  read: (name: string) => unknown,
): Stranger {
  if (isPartnerPath(path) !== (subMchId !== undefined)) return NO_AUTH
  if (subMchId === undefined) return read('mchid') === mchId ? null : PARAM_ERROR
  if (read('sp_mchid') !== mchId || typeof read('sub_mchid') !== 'string') return PARAM_ERROR
  // 268447845, "子商户号和订单信息不匹配".
  return read('sub_mchid') === subMchId ? null : INVALID_REQUEST
}

/** A refund, its query and a bill name a sub-merchant, or none. A provider's bill without one has all its sub-merchants. */
export function namesStranger({ subMchId }: WechatStandInSettings, named: unknown, isNeeded: boolean): Stranger {
  if (named === undefined || named === null) return isNeeded && subMchId !== undefined ? PARAM_ERROR : null
  if (subMchId === undefined) return NO_AUTH
  return named === subMchId ? null : INVALID_REQUEST
}

/** The app of a new transaction that is not the account's own. */
export function otherAppOf({ appId }: WechatStandInSettings, body: Fields): { appId?: string } {
  const other = body.sub_appid ?? (body.appid === appId ? undefined : body.appid)
  return typeof other === 'string' ? { appId: other } : {}
}

/** The fields by which a new transaction names merchants and apps. */
export const whoseFields = ({ subMchId }: WechatStandInSettings): string[] =>
  subMchId === undefined ? ['appid', 'mchid'] : ['sp_appid', 'sp_mchid', 'sub_appid', 'sub_mchid']

/** Whether the payer of a transaction in WeChat is named by an id that its apps know. */
export function knowsPayer({ subMchId }: WechatStandInSettings, { payer, sub_appid: subAppId }: Fields): boolean {
  const { openid, sp_openid: sp, sub_openid: sub } = (payer ?? {}) as Fields
  const isId = (id: unknown): boolean => typeof id === 'string' && id !== '' && id.length <= 128
  if (subMchId === undefined) return isId(openid)
  return isId(sp) || (isId(sub) && subAppId !== undefined)
}

/** How a transaction names its merchants and apps. `sub_appid` and `sub_openid` are there only if it was placed with them. */
export function whoseTransaction({ mchId, appId, subMchId }: WechatStandInSettings, trade: Trade): Fields {
  if (subMchId === undefined) return { appid: trade.appId ?? appId, mchid: mchId }
  return {
    sp_appid: appId,
    sp_mchid: mchId,
    sub_mchid: subMchId,
    ...(trade.appId === undefined ? {} : { sub_appid: trade.appId }),
  }
}

export function payerOf({ subMchId }: WechatStandInSettings, { appId }: Trade, payer: string): Fields {
  if (subMchId === undefined) return { openid: payer }
  return appId === undefined ? { sp_openid: payer } : { sp_openid: `sp-${payer}`, sub_openid: payer }
}

/** How a refund's notification names its merchants. */
export const whoseRefund = ({ mchId, subMchId }: WechatStandInSettings): Fields =>
  subMchId === undefined ? { mchid: mchId } : { sp_mchid: mchId, sub_mchid: subMchId }
