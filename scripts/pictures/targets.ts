/** Every page and main state that is kept as a picture, by name; and the two pages of docs that show them. */

/** `{open}`, `{paid}`, `{closed}`, `{late}`: an order of that end; `{mch}`: the merchant. */
export type Pictured = { name: string; path: string; zh: string; en: string }

const pictured = (name: string, path: string, zh: string, en: string): Pictured => ({ name, path, zh, en })

/** Addresses of the payer's page: the order's link, and what follows it. */
export const OF_PAYER: Pictured[] = [
  pictured('payer-open', '{open}', '可以付款', 'It can be paid'),
  pictured('payer-paid', '{paid}', '已付款，部分已退', 'Paid, and refunded in part'),
  pictured('payer-closed', '{closed}', '已关闭', 'Closed'),
  pictured('payer-late', '{late}', '关单后付的款已退回', 'Paid after the close, and sent back'),
  pictured('payer-receipt', '{paid}/receipt', '付款凭据', 'The receipt'),
  pictured('payer-lost', '{open}x', '链接无效', 'A link that does not work'),
]

export const OF_CONSOLE: Pictured[] = [
  pictured('overview', 'overview', '总览', 'Overview'),
  pictured('statistics', 'statistics', '统计', 'Figures'),
  pictured('orders', 'orders', '订单', 'Orders'),
  pictured('orders-empty', 'orders?state=CLOSING', '没有符合条件的订单', 'A list with nothing in it'),
  pictured('orders-wrong', 'orders?amount_min=9&amount_max=1', '筛选条件有错', 'A filter that is wrong'),
  pictured('order-open', 'orders/{mch}/{open}', '未支付的订单', 'An order that waits'),
  pictured('order-paid', 'orders/{mch}/{paid}', '已支付、部分退款的订单', 'An order that is paid and refunded in part'),
  pictured('order-closed', 'orders/{mch}/{closed}', '已关闭的订单', 'An order that is closed'),
  pictured('order-late', 'orders/{mch}/{late}', '款项退回过的订单', 'An order whose money was sent back'),
  pictured('find', 'find?text=365.00', '全局查找', 'The search over everything'),
  pictured('bulk', 'bulk', '批量操作', 'Many at once'),
  pictured('refunds', 'refunds', '退款', 'Refunds'),
  pictured('refund-requests', 'refund-requests', '待复核的退款', 'Refunds to confirm'),
  pictured('sent-back', 'sent-back', '退回的款项', 'Money sent back'),
  pictured('reversals', 'reversals', '自动退回', 'Reversals'),
  pictured('notifications', 'notifications', '通知', 'Notifications'),
  pictured('bills', 'bills', '对账单', 'Bills'),
  pictured('reconciliations', 'reconciliations', '对账', 'Reconciliation'),
  pictured('differences', 'reconciliations/differences', '差异', 'Differences'),
  pictured('unmatched', 'reconciliations/unmatched-payments', '无法匹配的付款', 'Unmatched payments'),
  pictured('merchants', 'merchants', '商户', 'Merchants'),
  pictured('merchant', 'merchants/{mch}', '一个商户', 'A merchant'),
  pictured('users', 'users', '用户', 'Users'),
  pictured('audit', 'audit', '审计日志', 'The audit log'),
  pictured('jobs', 'jobs', '滞留的任务', 'Work that is stuck'),
  pictured('alarms', 'alarms', '告警', 'Alarms'),
  pictured('platform-keys', 'platform-keys', '平台密钥', 'Platform keys'),
  pictured('account', 'account', '我的账号', 'My account'),
  pictured('explorer', 'explorer', 'API 调试', 'The API explorer'),
  pictured('sandbox', 'sandbox?mch_no={mch}&transaction_no={late}', '沙箱', 'The sandbox'),
  pictured('no-page', 'no-such-page', '没有这个页面', 'No such page'),
]

/** The pages of docs, by their names. */
export function pictureDocs(): Record<string, string> {
  const part = (all: Pictured[], tongue: 'zh' | 'en'): string =>
    all.map(({ name, [tongue]: title }) => `### ${title}\n\n![${title}](pages/${name}.webp)\n`).join('\n')
  return {
    'README.md': `# Every page as a picture

[中文](README.zh-CN.md) · [How our pages look](../design.md)

From left to right: wide and light in Chinese, wide and dark in English, 390 px and light in English, 390 px and dark in Chinese, each at half its size. \`npm run pictures\` takes them anew, of a
sandbox with four orders; this page is written by it too.

## The payer's page

${part(OF_PAYER, 'en')}
## The console

${part(OF_CONSOLE, 'en')}`,
    'README.zh-CN.md': `# 每个页面的图

[English](README.md) · [页面的样子](../design.zh-CN.md)

从左到右：宽屏浅色中文，宽屏深色英文，390 px 浅色英文，390 px 深色中文，均为一半大小。\`npm run pictures\` 用有四笔订单的沙箱重新拍摄；本页也由它写出。

## 付款人的页面

${part(OF_PAYER, 'zh')}
## 管理台

${part(OF_CONSOLE, 'zh')}`,
  }
}
