/**
 * Every kind of alarm: what it is called, whether it wakes a person, and where to look. A rule of monitoring/acopay.rules.yml that looks
 * for the same has the same name after `Acopay`, and the same runbook.
 */

export type Text = { zh: string; en: string }

export type AlarmKind = Text & {
  /** `page`: wakes a person, also at night. `ticket`: is looked at in the morning. */
  severity: 'page' | 'ticket'
  /** How long it must not be seen before it is over. */
  quietMs: number
  /** The console's page that shows it, with its search. */
  page: string
  /** Its runbook, where no rule has the same one. */
  runbook?: string
  /** The words for its subjects, where they are fixed. */
  subjects?: Record<string, Text>
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** A state is looked at every ten seconds, so what was not seen for this long has ended. */
const STATE = 5 * MINUTE
/** An event has no end; it counts as over when it has not happened for this long. */
const EVENT = HOUR

const page = (quietMs: number, where: string): Pick<AlarmKind, 'severity' | 'quietMs' | 'page'> => ({
  severity: 'page',
  quietMs,
  page: where,
})
const ticket = (quietMs: number, where: string) => ({ ...page(quietMs, where), severity: 'ticket' as const })

export const ALARM_KINDS = {
  stuck: {
    ...page(STATE, 'overview'),
    zh: '处理停滞',
    en: 'stuck',
    subjects: {
      closing: { zh: '关单超过25分钟', en: 'orders being closed for more than 25 minutes' },
      expired: { zh: '过期超过25分钟仍未关闭的订单', en: 'orders expired for more than 25 minutes and not closed' },
      jobs: { zh: '逾期任务（关单、退款、退回、账单）', en: 'jobs overdue (closes, refunds, reversals, bills)' },
    },
  },
  'not-ready': {
    ...page(STATE, 'overview'),
    zh: '网关无法服务',
    en: 'the gateway cannot serve',
    subjects: { database: { zh: '数据库无法连接', en: 'the database does not answer' } },
  },
  'system-errors': {
    ...page(STATE, 'overview'),
    zh: '超过1%的请求应答1500',
    en: 'more than 1 % of the calls are answered 1500',
  },
  'slow-closes': {
    ...ticket(STATE, 'overview'),
    zh: '每100次关单有1次超过5秒',
    en: 'one close of a hundred takes more than 5 s',
  },
  'upstream-silent': {
    ...page(STATE, 'overview'),
    zh: '上游超过五分之一的调用没有明确应答',
    en: 'more than a fifth of the calls to an upstream have no clear answer',
  },
  'upstream-resting': {
    ...ticket(STATE, 'merchants'),
    zh: '上游账户连续失败，暂停调用',
    en: 'calls of an account with an upstream were halted after many failures',
  },
  'upstream-refuses': {
    ...page(STATE, 'merchants'),
    runbook: 'upstream-refuses-account',
    zh: '上游拒绝此账户的请求，请检查密钥与编号',
    en: 'the upstream refuses requests of this account: its keys or numbers are wrong',
  },
  'late-notifications': {
    ...ticket(STATE, 'notifications?state=PENDING'),
    zh: '通知超过25分钟未送达',
    en: 'notifications have waited for more than 25 minutes',
  },
  'dead-letters': {
    ...ticket(STATE, 'notifications?state=DEAD'),
    zh: '通知已放弃发送',
    en: 'notifications were given up',
  },
  'unmatched-payments': {
    ...page(STATE, 'reconciliations/unmatched-payments?settled=false'),
    zh: '上游的付款没有对应订单',
    en: 'payments of an upstream belong to no order',
  },
  differences: {
    ...ticket(STATE, 'reconciliations/differences?settled=false'),
    zh: '对账有未处理的差异',
    en: 'a reconciliation has unsettled differences',
  },
  'pool-full': {
    ...ticket(STATE, 'overview'),
    zh: '数据库连接不够用',
    en: 'a process has too few database connections',
  },
  busy: {
    ...ticket(STATE, 'overview'),
    zh: '处理器已满，请加进程',
    en: 'a process has no processor time left: start another one',
  },
  alarm: { ...page(EVENT, 'overview'), zh: '日志告警', en: 'the log has an alarm' },
  'alarm-channel-failing': {
    ...page(STATE, 'alarms'),
    runbook: 'alarm-channel-failing',
    zh: '告警渠道发送失败',
    en: 'an alarm channel fails',
  },
} as const satisfies Record<string, AlarmKind>
export type AlarmKindName = keyof typeof ALARM_KINDS

/** Rows of an older or newer version may have another kind. */
export const kindOf = (kind: string): AlarmKind =>
  kind in ALARM_KINDS ? ALARM_KINDS[kind as AlarmKindName] : { ...page(STATE, 'alarms'), zh: kind, en: kind }

export const runbookOf = (kind: string): string => `docs/runbooks/${kindOf(kind).runbook ?? `acopay-${kind}`}.md`

/**
 * Log lines with `alarm: true` whose alarm another kind raises from the database, where it also ends. Every other line is an `alarm` with
 * its text as the subject.
 */
export const KNOWN_OTHERWISE: ReadonlySet<string> = new Set([
  'the upstream refuses requests of this account',
  'job overdue',
  'notification in the dead letters',
  'notifications in the dead letters',
  'the bill and the books differ',
  'payment for an unknown attempt',
])

/** The log's lines in Chinese. */
const LINES_ZH: Record<string, string> = {
  'a certificate of this account ends soon, or has ended': '渠道账户的证书即将到期，或已到期',
  'a refund that was told failed is done': '已告知失败的退款其实成功了',
  'a kept payment was sent back upstream': '已入账的付款被上游退回',
  'the counter of a passkey went back: it may have been copied': '通行密钥的计数倒退，可能被复制',
  'too many connections': '连接过多，新连接被拒绝',
  'the clock is in doubt: no order expires': '时钟不可信，订单暂不过期',
  'the embedded database is lost and is being started again': '内置数据库已断开，正在重新启动',
  'nodes of the database do not answer: their merchants wait': '数据库有节点没有应答，其上的商户等待',
  'the moment at which stamping began was removed or changed in the database': '数据库中时间线印章的起始记录被改动',
  'an error that nothing caught': '未处理的程序错误，请报告',
  'a worker ended and is started again': '一个工作进程意外结束，正在重新启动',
  'a new worker did not start: the old ones go on': '新的工作进程没有启动，原有的继续服务',
}

/** What an alarm is about, in words. */
export function subjectOf(kind: string, subject: string): Text {
  const fixed = kindOf(kind).subjects?.[subject]
  if (fixed !== undefined) return fixed
  return { zh: LINES_ZH[subject] ?? subject, en: subject }
}
