/** Sandbox mode only: scenarios of several operations, so that one click causes a race that is rare in production. */
import type { SandboxDone } from '@acopay/protocol/console'
import { Failed } from '../http/console/call.ts'
import { close, closeAndPay, done, type OnAttempt, open, pay, type Stage } from './operations.ts'

const opened = (channel: string, code: SandboxDone): OnAttempt => ({ channel, attemptNo: code.attempt_no ?? '' })

async function latePayment(stage: Stage): Promise<SandboxDone | Failed> {
  const code = await open(stage, 'wechat', 'native')
  if (code instanceof Failed) return code
  await close(stage)
  await pay(stage, opened('wechat', code), 'pay_anyway')
  return done(
    '订单关闭之后上游仍收了钱：网关正在自动退回',
    'The upstream took money after the close: the gateway is sending it back',
  )
}

async function twoCodesPaid(stage: Stage): Promise<SandboxDone | Failed> {
  const first = await open(stage, 'wechat', 'native')
  const second = await open(stage, 'alipay', 'native')
  if (first instanceof Failed) return first
  if (second instanceof Failed) return second
  await Promise.all([pay(stage, opened('wechat', first), 'pay'), pay(stage, opened('alipay', second), 'pay')])
  return done(
    '两个支付码都被付款：订单只保留一笔，另一笔退回',
    'Both codes were paid: the order keeps one payment, the other is sent back',
  )
}

async function lostCloseAnswer(stage: Stage): Promise<SandboxDone | Failed> {
  const code = await open(stage, 'wechat', 'native')
  if (code instanceof Failed) return code
  const faults = stage.upstreams.faults('wechat')
  faults.set([...faults.list(), { kind: 'lost_answer', verb: 'close', tradeNo: code.attempt_no ?? '', times: 1 }])
  const closed = await close(stage)
  return done(
    `上游的关单应答丢失，网关再次查询：${closed.told.zh}`,
    `The upstream's answer to the close was lost, so the gateway queried again: ${closed.told.en}`,
  )
}

async function paidWhileClosing(stage: Stage): Promise<SandboxDone | Failed> {
  const code = await open(stage, 'wechat', 'native')
  return code instanceof Failed ? code : closeAndPay(stage, opened('wechat', code))
}

/** The scenarios by the name that the page sends. */
export const SCENARIOS = {
  late_payment: latePayment,
  two_codes_paid: twoCodesPaid,
  lost_close_answer: lostCloseAnswer,
  paid_while_closing: paidWhileClosing,
} as const satisfies Record<string, (stage: Stage) => Promise<SandboxDone | Failed>>
