/** `acopay notifications list` and `acopay notifications resend` */
import { AcoPay, type NotificationState, type NotificationSummary } from '@acopay/sdk'
import { type Command, EXIT, type Flags, type Io, table, textFlag, UsageError } from '../command.ts'
import { readSettings, SETTINGS_OPTIONS } from '../settings.ts'

const client = (flags: Flags, io: Io): AcoPay =>
  new AcoPay(readSettings(flags, io, ['baseUrl', 'mchNo', 'appNo', 'mchPrivateKey', 'platformPublicKey']))

const ORDER = { 'transaction-no': { type: 'string' }, 'mch-trade-no': { type: 'string' } } as const

function seqOf(flags: Flags): number | undefined {
  const text = textFlag(flags, 'seq')
  if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text === undefined ? undefined : Number(text)
  throw new UsageError('--seq 应为正整数 (should be a whole number from 1)')
}

export const listCommand: Command = {
  usage: '[--transaction-no NO [--seq N] | --mch-trade-no NO] [--state PENDING|DELIVERED|DEAD] [--before NEXT]',
  zh: '通知列表；加 --seq 看每次发送',
  en: 'list the notifications; with --seq each try to send one',
  options: {
    ...SETTINGS_OPTIONS,
    ...ORDER,
    seq: { type: 'string' },
    state: { type: 'string' },
    before: { type: 'string' },
  },
  async run(flags, io) {
    const [transactionNo, mchTradeNo] = [textFlag(flags, 'transaction-no'), textFlag(flags, 'mch-trade-no')]
    const seq = seqOf(flags)
    if (seq !== undefined) return tries(flags, io, transactionNo, seq)
    const [state, before] = [textFlag(flags, 'state'), textFlag(flags, 'before')]
    const page = await client(flags, io).listNotifications({
      ...(transactionNo === undefined ? {} : { transactionNo }),
      ...(mchTradeNo === undefined ? {} : { mchTradeNo }),
      ...(state === undefined ? {} : { state: state as NotificationState }),
      ...(before === undefined ? {} : { before }),
    })
    const lines = page.notifications.map(lineOf)
    const more = page.next === null ? [] : ['', `更多 more: --before ${page.next}`]
    return {
      exit: EXIT.done,
      json: page,
      lines: lines.length === 0 ? ['没有通知 no notifications'] : [...lines, ...more],
    }
  },
}

async function tries(flags: Flags, io: Io, transactionNo: string | undefined, seq: number) {
  if (transactionNo === undefined) throw new UsageError('--seq 需要 --transaction-no (--seq needs --transaction-no)')
  const made = await client(flags, io).notificationTries({ transactionNo, seq })
  const lines = made.flatMap(({ time, ms, httpStatus, failure, reply }) => [
    `${time.toISOString()}  ${ms} ms  HTTP ${httpStatus ?? '-'}  ${failure ?? '已送达 delivered'}`,
    ...(failure === null || !reply ? [] : [`  ${JSON.stringify(reply.slice(0, 200))}`]),
  ])
  return { exit: EXIT.done, json: made, lines: lines.length === 0 ? ['还没有发送过 not tried yet'] : lines }
}

function lineOf(one: NotificationSummary): string {
  const { createdTime, transactionNo, seq, kind, description, tries: count, nextTime, failure } = one
  const what = kind === 'payment' ? '支付 payment' : '退款 refund'
  const then = nextTime === null ? '' : `  下次 next ${nextTime.toISOString()}`
  const why = failure === null ? '' : `  ${failure}`
  return `${createdTime.toISOString()}  ${transactionNo} ${seq}  ${what}  ${description} ${one.state} (${count})${why}${then}`
}

export const resendCommand: Command = {
  usage: '--transaction-no NO [--seq N] | --mch-trade-no NO [--seq N] | --dead [--from TIME] [--until TIME]',
  zh: '重发通知',
  en: 'send notifications again: those of an order, or all dead letters',
  options: {
    ...SETTINGS_OPTIONS,
    ...ORDER,
    seq: { type: 'string' },
    dead: { type: 'boolean' },
    from: { type: 'string' },
    until: { type: 'string' },
  },
  async run(flags, io) {
    const [transactionNo, mchTradeNo, seq] = [
      textFlag(flags, 'transaction-no'),
      textFlag(flags, 'mch-trade-no'),
      seqOf(flags),
    ]
    const one = seq === undefined ? {} : { seq }
    const pay = client(flags, io)
    let resent = 0
    if (transactionNo !== undefined) resent = await pay.resendNotifications({ transactionNo, ...one })
    else if (mchTradeNo !== undefined) resent = await pay.resendNotifications({ mchTradeNo, ...one })
    else if (flags.dead === true)
      resent = await resendDead(pay, { ...timeFlag(flags, 'from'), ...timeFlag(flags, 'until') })
    else throw new UsageError('需要订单号或 --dead (give the number of an order, or --dead)')
    return { exit: EXIT.done, json: { resent }, lines: table([['重发 sent again', String(resent)]]) }
  },
}

/** Repeats the call until no dead letter is left, since a call sends at most 10 000. */
async function resendDead(pay: AcoPay, between: { from?: Date; until?: Date }): Promise<number> {
  for (let sum = 0; ; ) {
    const resent = await pay.resendNotifications({ state: 'DEAD', ...between })
    sum += resent
    if (resent === 0) return sum
  }
}

function timeFlag(flags: Flags, name: 'from' | 'until'): { from?: Date; until?: Date } {
  const text = textFlag(flags, name)
  if (text === undefined) return {}
  if (!Number.isNaN(Date.parse(text))) return { [name]: new Date(text) }
  throw new UsageError(`--${name} 应为时间，如 2026-01-31T08:00:00+08:00 (should be a time)`)
}
