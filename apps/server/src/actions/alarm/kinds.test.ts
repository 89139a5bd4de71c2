/** What an alarm of a line of the log is called in Chinese, a second time by hand. */
import { expect, it } from 'vitest'
import { subjectOf } from './kinds.ts'

const SAID = [
  ['a certificate of this account ends soon, or has ended', '渠道账户的证书即将到期，或已到期'],
  ['a refund that was told failed is done', '已告知失败的退款其实成功了'],
  ['a kept payment was sent back upstream', '已入账的付款被上游退回'],
  ['the counter of a passkey went back: it may have been copied', '通行密钥的计数倒退，可能被复制'],
  ['too many connections', '连接过多，新连接被拒绝'],
  ['the clock is in doubt: no order expires', '时钟不可信，订单暂不过期'],
  ['the embedded database is lost and is being started again', '内置数据库已断开，正在重新启动'],
  ['the moment at which stamping began was removed or changed in the database', '数据库中时间线印章的起始记录被改动'],
  ['an error that nothing caught', '未处理的程序错误，请报告'],
  ['a worker ended and is started again', '一个工作进程意外结束，正在重新启动'],
  ['a new worker did not start: the old ones go on', '新的工作进程没有启动，原有的继续服务'],
] as const

it.each(SAID)('"%s" is said in Chinese', (en, zh) => {
  expect(subjectOf('alarm', en)).toEqual({ zh, en })
})

it('a line that has no Chinese is said as it is', () => {
  expect(subjectOf('alarm', 'something else')).toEqual({ zh: 'something else', en: 'something else' })
})
