/**
 * Records a session of a merchant, its payer and its server with a gateway: each call's request and answer, as the examples of
 * the OpenAPI document show them. The clock stands where it always stands; keys, numbers and nonces are new each time.
 */
import { createPublicKey } from 'node:crypto'
import { type Envelope, keyText, privateKeyFrom, type Recorded, type RecordedCall } from '@acopay/protocol'
import { changeApp } from '@acopay/store/console'
import { close, newTradeNo, openAttempt, pay, place, type Request, readAnswer, signedRequest } from './merchant.ts'
import { type TestWorld, testWorld } from './world.ts'

const HOUR_MS = 3_600_000
const NOTIFY_URL = 'https://shop.example.com/acopay/notify'

type Params = Record<string, string>
type Told = { [name: string]: string | null }
type Title = Pick<RecordedCall, 'name' | 'zh' | 'en'>

const SUCCESS: Title = { name: 'success', zh: '成功', en: 'Success' }

type Session = {
  gateway: TestWorld
  calls: RecordedCall[]
  cashier: Recorded['cashier'][number][]
  told: Told[]
}

/** Makes one signed call and keeps it. Answers `data`. `wrong`: headers that are sent instead of the right ones. */
async function say(
  { gateway, calls }: Session,
  call: RecordedCall['call'],
  params: Params,
  { wrong = {}, nonce, ...title }: Partial<Title> & { wrong?: Params; nonce?: string } = {},
): Promise<Told> {
  const [method, path] = call.split(' ') as [string, Request['path']]
  const request: Request = { method: method.toUpperCase() as 'GET' | 'POST', path, params, headers: wrong }
  const { url, ...init } = await signedRequest(gateway.demo, nonce === undefined ? request : { ...request, nonce })
  const response = await fetch(url, init)
  const text = await response.clone().text()
  // Throws where the signature of the answer does not verify.
  const { message } = await readAnswer(gateway.demo, response)
  const answer = JSON.parse(text) as Envelope
  const { 'content-type': _, ...headers } = init.headers
  const own = answer.status === 200 ? SUCCESS : { name: message, zh: `${answer.status}`, en: message }
  calls.push({ call, ...own, ...title, headers: headers as RecordedCall['headers'], params, answer })
  return (answer.data ?? {}) as Told
}

const orderParams = (session: Session, more: Params = {}): Params => ({
  app_no: session.gateway.demo.appNo,
  mch_trade_no: newTradeNo(),
  description: '明前龙井 250g',
  amount_total: '128.00',
  amount_currency: 'CNY',
  ...more,
})

/** The payer's page makes one of its calls. */
async function ask(
  session: Session,
  url: string,
  { params, ...call }: Title & { call: 'state' | 'attempts'; params?: Params },
): Promise<void> {
  const response = await fetch(`${url}/${call.call}`, params && { method: 'POST', body: JSON.stringify(params) })
  const answer = (await response.json()) as Told
  session.cashier.push({ ...call, params: params ?? null, httpStatus: response.status, answer })
}

async function placeOrders(session: Session): Promise<{ paid: string; open: string; cashierUrl: string }> {
  const { gateway } = session
  const params = orderParams(session, { extra: '门店 7', notify_url: NOTIFY_URL })
  const { transaction_no: paid, cashier_url: cashierUrl } = (await say(session, 'post trade', params)) as Params
  await say(session, 'post trade', { ...params, amount_total: '12.80' })
  const { amount_total: _, ...lacking } = orderParams(session)
  await say(session, 'post trade', lacking as Params)
  await say(session, 'post trade', orderParams(session), { wrong: { 'x-acopay-nonce': 'changed-after-signing' } })
  // Lists are in the order of time.
  gateway.advance(1000)
  const { transaction_no: open } = (await say(session, 'post trade', orderParams(session), {
    name: 'minimal',
    zh: '只填必填参数',
    en: 'Only what is required',
  })) as Params
  const ownUrl = cashierUrl?.replace(/^https:\/\/[^/]+/, gateway.demo.baseUrl) ?? ''
  await ask(session, ownUrl, { call: 'state', name: 'open', zh: '可以付款', en: 'It can be paid' })
  const attempts = (title: Title, channel: string, method: string) =>
    ask(session, ownUrl, { call: 'attempts', ...title, params: { channel, method } })
  await attempts({ name: 'native', zh: '微信扫码', en: 'A QR code of WeChat Pay' }, 'wechat', 'native')
  await attempts({ name: 'UNAVAILABLE', zh: '没有此方式', en: 'No such method' }, 'wechat', 'page')
  await attempts({ name: 'FIELD_INVALID', zh: '没有此渠道', en: 'No such channel' }, 'cash', 'native')
  return { paid: paid ?? '', open: open ?? '', cashierUrl: cashierUrl ?? '' }
}

async function payAndClose(session: Session, paid: string, open: string): Promise<void> {
  const { gateway } = session
  await say(session, 'get trade', { transaction_no: paid }, { name: 'notpay', zh: '未支付', en: 'Not paid' })
  await say(session, 'get trade', { mch_trade_no: 'an-order-that-is-not-there' })
  await say(session, 'get close/evidence', { transaction_no: open })
  await pay(gateway.demo, paid, (await openAttempt(gateway.demo, paid)) ?? '')
  await gateway.runJobs()
  await say(
    session,
    'get trade',
    { transaction_no: paid, aco_pay_sdk: '1.0' },
    { name: 'paid', zh: '已支付', en: 'Paid' },
  )
  await openAttempt(gateway.demo, open)
  const nonce = 'used-by-the-close-before'
  await say(session, 'post close', { transaction_no: open }, { nonce })
  await say(
    session,
    'post close',
    { transaction_no: paid },
    { name: 'paid', zh: '订单已支付', en: 'The payer was faster' },
  )
  await say(session, 'post close', { transaction_no: 'AP202603010000000000000000000000000000' })
  await say(session, 'post close', { transaction_no: open }, { nonce })
  await say(session, 'get close/evidence', { transaction_no: open })
}

/** An order of an app that asked to be told of it is paid after its close. */
async function payLate({ gateway }: Session): Promise<void> {
  const { mchNo, appNo } = gateway.demo
  await changeApp(gateway.database.pool, { mchNo, appNo }, { isToldOfSentBack: true })
  const order = await place(gateway.demo, { extra: '门店 7', notify_url: NOTIFY_URL })
  const attemptNo = (await openAttempt(gateway.demo, order)) ?? ''
  await close(gateway.demo, order)
  await pay(gateway.demo, order, attemptNo, 'pay-anyway')
  await gateway.runJobs()
}

async function payBack(session: Session, paid: string, open: string): Promise<void> {
  const params = {
    transaction_no: paid,
    mch_refund_no: newTradeNo(),
    refund_amount: '28.00',
    refund_reason: '少发一件',
    notify_url: NOTIFY_URL,
  }
  const { mch_refund_no } = params
  await say(session, 'post refund', params)
  await say(session, 'post refund', { ...params, mch_refund_no: newTradeNo(), refund_amount: '128.00' })
  await say(session, 'post refund', { ...params, mch_refund_no: newTradeNo(), transaction_no: open })
  await session.gateway.runJobs()
  await say(session, 'get refund', { mch_refund_no })
  await say(session, 'get refund', { mch_refund_no: 'a-refund-that-is-not-there' })
}

async function listAndBill(session: Session, paid: string): Promise<void> {
  await say(session, 'get orders', { from: '2026-03-01T00:00:00+08:00', until: '2026-03-02T00:00:00+08:00' })
  await say(session, 'get orders', { state: 'PAID' })
  await say(session, 'get refunds', { transaction_no: paid })
  await say(session, 'get refunds', { transaction_no: 'AP202603010000000000000000000000000000' })
  await say(session, 'get notifications', { transaction_no: paid })
  await say(session, 'get notifications', { state: 'LOST' })
  const last = JSON.parse(session.calls.at(-2)?.answer.data?.notifications as string) as { seq: number }[]
  const seq = String(last[0]?.seq)
  await say(session, 'get notifications/tries', { transaction_no: paid, seq })
  await say(session, 'get notifications/tries', { transaction_no: paid })
  await say(session, 'post notifications/resend', { transaction_no: paid, seq })
  await say(session, 'post notifications/resend', { seq })
  await session.gateway.world.callLog.write()
  await say(session, 'get calls', { number: paid, call: 'POST close' })
  const unproven = { name: 'unproven', zh: '未通过验签的调用', en: 'A call whose signature did not verify' }
  await say(session, 'get calls', { status: '1002' }, unproven)
  await say(session, 'get calls', { status: 'x' })
  session.gateway.advance(22 * HOUR_MS)
  await session.gateway.runJobs()
  await say(session, 'get bill', { bill_date: '2026-03-01' })
  await say(
    session,
    'get bill',
    { bill_date: '2026-02-28' },
    { name: 'noBill', zh: '当日无交易', en: 'No trade on that day' },
  )
  await say(session, 'get bill', { bill_date: '2026-03-02' })
}

/** The whole session. */
export async function recordCalls(): Promise<Recorded> {
  const gateway = await testWorld({
    env: { ACOPAY_MODE: 'production' },
    start: new Date('2026-03-01T04:00:00.000Z'),
    publicUrl: 'https://pay.example.com',
  })
  const session: Session = { gateway, calls: [], cashier: [], told: [] }
  // The stand-ins of the upstreams know the gateway by its own address.
  gateway.world.notifyUrl = (mchNo, channel) => `${gateway.demo.baseUrl}/notify/${channel}/${mchNo}`
  // The merchant's server: it hears everything, under an address that no test may reach.
  gateway.world.post = async (_url, body) => {
    session.told.push(JSON.parse(body) as Told)
    return { httpStatus: 200, reply: '{"status":"SUCCESS","message":"成功"}' }
  }
  try {
    const { paid, open, cashierUrl } = await placeOrders(session)
    await payAndClose(session, paid, open)
    await payBack(session, paid, open)
    await listAndBill(session, paid)
    await payLate(session)
    const { calls, cashier, told } = session
    return {
      merchantPublicKey: keyText(createPublicKey(privateKeyFrom(gateway.demo.mchPrivateKey))),
      platformPublicKey: gateway.demo.platformPublicKey,
      cashierUrl,
      calls,
      cashier,
      notifications: {
        payment: told.find((one) => 'amount_total' in one) ?? {},
        refund: told.find((one) => 'refund_no' in one) ?? {},
        sent_back: told.find((one) => 'reversal_no' in one) ?? {},
      },
    }
  } finally {
    await gateway.stop()
  }
}
