/**
 * Who takes the money, through which app, and who calls for them: the merchant itself, or a service provider for one of its
 * sub-merchants ("服务商模式"). The two modes have paths, names and answers of their own, and none of one is taken for the other's.
 */
import type { WechatAccount } from './account.ts'

export type Party = {
  /** The path below which transactions lie. */
  transactions: string
  /** Named in every call for a transaction: in a body, or in a query. */
  merchants: Record<string, string>
  /** The apps of a new transaction. */
  apps: Record<string, string>
  /** What a service provider adds to refunds and bills, whose paths both modes share. */
  subMerchant: Record<string, string>
  /** The app that payers know: the one they start a payment in, and in which they have an id. */
  payerAppId: string
  /** The payer of a new transaction. */
  payer: (openId: string) => Record<string, string>
  /** The payer of a transaction; null where it does not say. */
  payerOf: (data: Record<string, unknown>) => string | null
  /** Whether a transaction of WeChat Pay's is this merchant's, and of the apps of this account. */
  isOurs: (data: Record<string, unknown>) => boolean
  /** The same of a refund's notification, which names no app. */
  isOurRefund: (data: Record<string, unknown>) => boolean
}

export const partyOf = (account: WechatAccount): Party =>
  account.subMchId === undefined || account.subMchId === '' ? direct(account) : provider(account, account.subMchId)

/**
 * "附加数据，在查询API和支付通知中原样返回": a transaction placed through the mini-program says so, and WeChat Pay signs it. It is
 * given back with payments only.
 */
export const MINI = 'mini'

/** The same merchant, and payers who are known to its mini-program. */
export function miniPartyOf(account: WechatAccount): Party | null {
  const { miniAppId = '', subMchId = '' } = account
  if (miniAppId === '') return null
  return partyOf(subMchId === '' ? { ...account, appId: miniAppId } : { ...account, subAppId: miniAppId })
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null)

function direct({ mchId, appId }: WechatAccount): Party {
  const isOurs = (data: Record<string, unknown>): boolean => data.mchid === mchId && isAbsent(data.sub_mchid)
  return {
    transactions: '/v3/pay/transactions',
    merchants: { mchid: mchId },
    apps: { appid: appId },
    subMerchant: {},
    payerAppId: appId,
    payer: (openId) => ({ openid: openId }),
    payerOf: (data) => textOrNull(((data.payer ?? {}) as { openid?: unknown }).openid),
    isOurs: (data) => isOurs(data) && data.appid === appId,
    isOurRefund: isOurs,
  }
}

/** `mchId` and `appId` are the service provider's. Where the sub-merchant has an app of its own, payers are known to that one. */
function provider({ mchId, appId, subAppId }: WechatAccount, subMchId: string): Party {
  const hasApp = subAppId !== undefined && subAppId !== ''
  const isOurs = (data: Record<string, unknown>): boolean => data.sp_mchid === mchId && data.sub_mchid === subMchId
  return {
    transactions: '/v3/pay/partner/transactions',
    merchants: { sp_mchid: mchId, sub_mchid: subMchId },
    apps: { sp_appid: appId, ...(hasApp ? { sub_appid: subAppId } : {}) },
    subMerchant: { sub_mchid: subMchId },
    payerAppId: hasApp ? subAppId : appId,
    payer: (openId) => (hasApp ? { sub_openid: openId } : { sp_openid: openId }),
    payerOf: (data) => {
      const { sp_openid: sp, sub_openid: sub } = (data.payer ?? {}) as { sp_openid?: unknown; sub_openid?: unknown }
      return textOrNull(hasApp ? (sub ?? sp) : sp)
    },
    isOurs: (data) =>
      isOurs(data) && data.sp_appid === appId && (hasApp ? data.sub_appid === subAppId : isAbsent(data.sub_appid)),
    // The manual's table says `sp_mchid`, its example `mchid`.
    isOurRefund: ({ mchid, sp_mchid: spMchId = mchid, ...data }) => isOurs({ ...data, sp_mchid: spMchId }),
  }
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === ''

/** Path and query. */
export const withQuery = (path: string, query: Record<string, string>): string =>
  Object.keys(query).length === 0 ? path : `${path}?${new URLSearchParams(query)}`
