/** The only list of channels there is: a new one is its folder and a line here. */
import { type AlipayAccount, makeAlipay } from './alipay/index.ts'
import type { Channel } from './contract.ts'
import { makeWechat, type WechatAccount } from './wechat/index.ts'

/** What a channel needs from outside; all of it, so that a test decides everything. */
export type ChannelDoor = { fetch: typeof fetch; now: () => Date; newNonce: () => string }

/** Settings of an account by channel, as they are sealed and stored. */
export type ChannelSettings = { wechat: WechatAccount; alipay: AlipayAccount }

export type ChannelName = keyof ChannelSettings

export const INSTALLED: { [Name in ChannelName]: (settings: ChannelSettings[Name], door: ChannelDoor) => Channel } = {
  wechat: makeWechat,
  alipay: makeAlipay,
}

/** The channel of an account whose settings were stored under this name. */
export const makeChannel = (name: ChannelName, settings: unknown, door: ChannelDoor): Channel =>
  INSTALLED[name](settings as never, door)
