/** Orders that wait for a payment, placed and cancelled by Vendure's administrator. */
import { randomBytes } from 'node:crypto'
import { requestBytes } from '../closes.ts'
import type { Stack } from '../stack/stack.ts'
import { type Call, type Lanes, openLanes } from '../work/lanes.ts'
import { installedAt } from './install.ts'
import type { OpenedPeer } from './opened.ts'
import { startPeer } from './server.ts'

type Said = Record<'url' | 'token' | 'variant' | 'customer' | 'shipping', string>

const ADDRESS = '{ fullName: "A Payer", streetLine1: "1 Road", city: "Beijing", countryCode: "CN" }'

export async function openVendure({ database }: Stack, connections: number): Promise<OpenedPeer> {
  const DATABASE_URL = await database.another('peer_vendure')
  const PEER_PASSWORD = randomBytes(16).toString('hex')
  const server = await startPeer<Said>(installedAt('vendure'), { DATABASE_URL, PEER_PASSWORD })
  const { said } = server
  const lanes = await openLanes({ gateways: [said.url], payers: said.url, connections })
  return {
    subject: 'Vendure 3.7',
    unlike: {
      en: 'no signatures, no nonce (a bearer token); an order has lines, taxes, a customer and an address; a shop system, not a gateway',
      zh: '没有签名，没有随机串（用令牌）；订单有明细、税、顾客与地址；是商城系统，不是网关',
    },
    cpuUs: server.cpuUs,
    async place(count) {
      return async () => {
        const before = performance.now()
        await placed(lanes, said, count)
        // Two requests make an order, so the time of one request says nothing.
        return { count, seconds: (performance.now() - before) / 1000, millis: [], bytes: 0 }
      }
    },
    async close(count) {
      const calls = (await placed(lanes, said, count)).map((id) =>
        graphql(
          said,
          `mutation { cancelOrder(input: { orderId: "${id}", cancelShipping: true }) { ... on Order { state } } }`,
          '"Cancelled"',
        ),
      )
      return () => lanes.run(calls)
    },
    async stop() {
      lanes.end()
      await server.stop()
    },
  }
}

/** The ids of orders that wait for a payment. */
async function placed(lanes: Lanes, said: Said, count: number): Promise<string[]> {
  const create = graphql(said, 'mutation { createDraftOrder { id } }', '"id"')
  const answers = await lanes.ask(Array.from({ length: count }, () => create))
  const ids = answers.map((answer) => (JSON.parse(answer) as Created).data.createDraftOrder.id)
  await lanes.ask(ids.map((id) => graphql(said, completed(said, id), '"ArrangingPayment"')))
  return ids
}

type Created = { data: { createDraftOrder: { id: string } } }

const completed = ({ variant, customer, shipping }: Said, id: string): string =>
  `mutation {
    a: addItemToDraftOrder(orderId: "${id}", input: { productVariantId: "${variant}", quantity: 1 }) { __typename }
    b: setCustomerForDraftOrder(orderId: "${id}", customerId: "${customer}") { __typename }
    c: setDraftOrderShippingAddress(orderId: "${id}", input: ${ADDRESS}) { id }
    d: setDraftOrderShippingMethod(orderId: "${id}", shippingMethodId: "${shipping}") { __typename }
    e: transitionOrderToState(id: "${id}", state: "ArrangingPayment") { ... on Order { state } }
  }`

function graphql({ url, token }: Said, query: string, expects: string): Call {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  return {
    to: 'gateway',
    request: requestBytes('POST', new URL(url), { headers, body: JSON.stringify({ query }) }),
    expects,
  }
}
