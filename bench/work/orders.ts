/** Orders brought to the state that a piece of work begins in, and the requests that it consists of, signed beforehand. */
import { randomBytes } from 'node:crypto'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import { orderParams } from '../../test/support/merchant.ts'
import { type Placed, requestBytes, signedBytes } from '../closes.ts'
import type { Stack } from '../stack/stack.ts'
import type { Call, Lanes } from './lanes.ts'

/** Where work is done: the gateways that run, and the merchants in whose turn it is. */
export type Scene = { stack: Stack; lanes: Lanes; merchants: DemoSettings[]; say: (line: string) => void }

export type Ordered = Placed & { cashier: string }
export type Attempted = Ordered & { attemptNo: string }

const REASON = { refund_reason: '测试退款' }

const turns = (merchants: DemoSettings[], count: number): DemoSettings[] =>
  Array.from({ length: count }, (_, index) => merchants[index % merchants.length] as DemoSettings)

const toGateway = async (request: Promise<Buffer> | Buffer, expects: string): Promise<Call> => ({
  to: 'gateway',
  request: await request,
  expects,
})

export const placings = (merchants: DemoSettings[], count: number): Promise<Call[]> =>
  Promise.all(
    turns(merchants, count).map((of) =>
      toGateway(signedBytes(of, { method: 'POST', path: 'trade', params: orderParams(of) }), '"cashier_url"'),
    ),
  )

export const queries = (orders: Placed[]): Promise<Call[]> =>
  Promise.all(
    orders.map(({ of, transactionNo: transaction_no }) =>
      toGateway(signedBytes(of, { method: 'GET', path: 'trade', params: { transaction_no } }), transaction_no),
    ),
  )

export const closings = (orders: Placed[]): Promise<Call[]> =>
  Promise.all(
    orders.map(({ of, transactionNo: transaction_no }) =>
      toGateway(signedBytes(of, { method: 'POST', path: 'close', params: { transaction_no } }), '关单成功'),
    ),
  )

export const refunds = (orders: Placed[]): Promise<Call[]> =>
  Promise.all(
    orders.map(({ of, transactionNo: transaction_no }) => {
      const params = {
        transaction_no,
        mch_refund_no: `mr${randomBytes(12).toString('hex')}`,
        refund_amount: '1.00',
        ...REASON,
      }
      return toGateway(signedBytes(of, { method: 'POST', path: 'refund', params }), '"refund_no"')
    }),
  )

const AT_CASHIER = new URL('http://127.0.0.1')

/** A payer at the cashier chooses to scan a code; this needs no signature of the merchant's. */
export const attempts = (orders: Ordered[]): Promise<Call[]> =>
  Promise.all(
    orders.map(({ cashier }) =>
      toGateway(
        requestBytes('POST', new URL(`${cashier}/attempts`, AT_CASHIER), {
          headers: { 'content-type': 'application/json' },
          body: '{"channel":"wechat","method":"native"}',
        }),
        '"pay_url"',
      ),
    ),
  )

export const payings = (attempted: Attempted[], { payers }: Pick<Stack['outside'], 'payers'>): Call[] =>
  attempted.map(({ attemptNo }) => ({
    to: 'payers',
    request: requestBytes('POST', new URL(`/${attemptNo}`, payers), {}),
    expects: 'paid',
  }))

/** Placed over the same connections, and nothing more. */
export async function placed({ lanes, merchants, say }: Scene, count: number): Promise<Ordered[]> {
  say(`${count} orders are placed …`)
  const answers = await lanes.ask(await placings(merchants, count))
  return answers.map((answer, index) => ({ of: turns(merchants, count)[index] as DemoSettings, ...orderIn(answer) }))
}

export function orderIn(answer: string): { transactionNo: string; cashier: string } {
  const { data } = JSON.parse(answer) as { data: { transaction_no: string; cashier_url: string } }
  return { transactionNo: data.transaction_no, cashier: new URL(data.cashier_url).pathname }
}

/** Placed, and a code is open for each. */
export async function attempted(scene: Scene, count: number): Promise<Attempted[]> {
  const orders = await placed(scene, count)
  scene.say(`${count} codes are opened …`)
  const answers = await scene.lanes.ask(await attempts(orders))
  return orders.map((order, index) => ({ ...order, attemptNo: attemptIn(answers[index] ?? '') }))
}

/** The stand-in's codes name the attempt. */
export const attemptIn = (answer: string): string =>
  new URL((JSON.parse(answer) as { pay_url: string }).pay_url).searchParams.get('pr') ?? ''

export async function paid(scene: Scene, count: number): Promise<Attempted[]> {
  const orders = await attempted(scene, count)
  scene.say(`${count} are paid …`)
  await scene.lanes.ask(payings(orders, scene.stack.outside))
  return orders
}
