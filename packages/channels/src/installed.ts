/** The list of all channels. To add one, add its folder and its lines here. */
import { type AlipayAccount, alipayCertificates, makeAlipay } from './alipay/index.ts'
import type { Channel } from './contract.ts'
import type { SignBytes } from './signing.ts'
import { makeWechat, type WechatAccount } from './wechat/index.ts'

/**
 * All that a channel takes from its surroundings, so that a test controls network, time and randomness. `sign`: `signBytes` where it is
 * not said; the simulator, which decides the order of everything, signs without another thread.
 */
export type ChannelDoor = { fetch: typeof fetch; now: () => Date; newNonce: () => string; sign?: SignBytes }

/** The settings of an account, by channel. The gateway stores them encrypted. */
export type ChannelSettings = { wechat: WechatAccount; alipay: AlipayAccount }

export type ChannelName = keyof ChannelSettings

export const INSTALLED: { [Name in ChannelName]: (settings: ChannelSettings[Name], door: ChannelDoor) => Channel } = {
  wechat: makeWechat,
  alipay: makeAlipay,
}

export const isChannelName = (name: string): name is ChannelName => Object.hasOwn(INSTALLED, name)

/** Makes the channel of an account. `settings` are the ones that were stored under this channel's name. */
export const makeChannel = (name: ChannelName, settings: unknown, door: ChannelDoor): Channel =>
  INSTALLED[name](settings as never, door)

/** A certificate among an account's settings, and when it ends. */
export type SettingsCertificate = { setting: string; until: Date }

/** The certificates among the settings of an account with which a channel can be made. */
export const certificatesOf = (name: ChannelName, settings: unknown): SettingsCertificate[] =>
  name === 'alipay' ? alipayCertificates(settings as AlipayAccount) : []
