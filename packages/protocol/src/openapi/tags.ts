/** The groups of calls in the OpenAPI document, in the order in which an integrator needs them. */

const TAGS = {
  orders: {
    name: '订单 · Orders',
    description: '下单、查询、关单。\n\nPlace, query and close orders.',
  },
  refunds: {
    name: '退款 · Refunds',
    description: '退款与查询退款。\n\nRefund paid orders, and query refunds.',
  },
  bills: {
    name: '对账单 · Bills',
    description: '每日对账单。\n\nThe bill of each day.',
  },
  notifications: {
    name: '通知 · Notifications',
    description:
      '网关向商户发送的支付与退款通知，以及查询、重发它们的接口。\n\nWhat the gateway posts to merchants of payments and refunds, and the calls that list it and send it again.',
  },
  calls: {
    name: '调用记录 · Calls',
    description:
      "网关看到的本商户的调用，用于排查签名等问题。\n\nThe merchant's calls as the gateway saw them, to find what is wrong with a signature, for example.",
  },
  cashier: {
    name: '收银台 · Cashier',
    description:
      '付款人页面的接口：不签名，知道订单的 `cashier_url` 即可调用。\n\nThe calls of the page on which the payer pays: unsigned, for everyone who has the `cashier_url` of the order.',
  },
} as const

export type TagName = keyof typeof TAGS

export const tagged = (tag: TagName): [string] => [TAGS[tag].name]

export const TAG_LIST = Object.values(TAGS)
