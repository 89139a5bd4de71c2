/**
 * A shop that takes payments with the official web SDK: its back end signs, its page calls `edger.payment.pay`, the shell
 * around it includes the gateway's host script, and the gateway notifies the back end of the payment.
 */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { newTradeNo, nodeHandler, notificationHandler, signPayParams } from '../../packages/sdk/src/index.ts'
import { shellPage, shopPage, shopScript } from './pages.ts'

export type ShopSettings = {
  /** Where the gateway is. */
  baseUrl: string
  mchNo: string
  appNo: string
  mchPrivateKey: string
  platformPublicKey: string
}

export type Shop = { shopUrl: string; shellUrl: string; stop: () => Promise<void> }

const ORDERS_MAX = 1000

const WEB_SDK = readFileSync(createRequire(import.meta.url).resolve('@edgeros/web-sdk/lib/sdk.min.js'))

/** Listens on two addresses of this machine, one for the shell and one for the shop: two origins, as in production. */
export async function startShop(settings: ShopSettings): Promise<Shop> {
  /** The shop's orders, by its own number; a real shop keeps them in its database. */
  const orders = new Map<string, { paid: boolean }>()
  const hear = nodeHandler(
    notificationHandler({
      mchNo: settings.mchNo,
      platformPublicKey: settings.platformPublicKey,
      onPayment: ({ mchTradeNo }) => {
        const order = orders.get(mchTradeNo)
        if (order !== undefined) order.paid = true
      },
      onPaymentReturned: ({ mchTradeNo }) => {
        const order = orders.get(mchTradeNo)
        if (order !== undefined) order.paid = false
      },
      onRefund: () => {},
    }),
  )
  const newOrder = async (notifyUrl: string): Promise<Record<string, string>> => {
    const mch_trade_no = newTradeNo()
    orders.set(mch_trade_no, { paid: false })
    const [oldest] = orders.keys()
    if (orders.size > ORDERS_MAX && oldest !== undefined) orders.delete(oldest)
    const { mchNo, mchPrivateKey, appNo: app_no } = settings
    const order = { app_no, mch_trade_no, description: '一杯咖啡', amount_total: '12.50', notify_url: notifyUrl }
    return signPayParams(order, { mchNo, mchPrivateKey })
  }

  const shop = await listening(async (request, response, own) => {
    const route = `${request.method} ${request.url}`
    const json = (value: object): void => void send(response, 'application/json; charset=utf-8', JSON.stringify(value))
    const no = /^GET \/orders\/([\w-]{1,50})$/.exec(route)?.[1]
    if (route === 'GET /') send(response, 'text/html; charset=utf-8', shopPage)
    else if (route === 'GET /web-sdk.js') send(response, 'text/javascript; charset=utf-8', WEB_SDK)
    else if (route === 'GET /shop.js') send(response, 'text/javascript; charset=utf-8', shopScript)
    else if (route === 'POST /orders') json(await newOrder(`${own}/told`))
    else if (route === 'POST /told') await hear(request, response)
    else if (no !== undefined && orders.has(no)) json(orders.get(no) ?? {})
    else response.writeHead(404).end()
  })
  const shell = await listening(async (_request, response) => {
    send(response, 'text/html; charset=utf-8', shellPage(settings.baseUrl, shop.url))
  })
  return {
    shopUrl: shop.url,
    shellUrl: shell.url,
    stop: async () => void (await Promise.all([shop.stop(), shell.stop()])),
  }
}

type Answer = (request: IncomingMessage, response: ServerResponse, own: string) => Promise<void>

async function listening(answer: Answer): Promise<{ url: string; stop: () => Promise<void> }> {
  let url = ''
  const server = createServer((request, response) => {
    answer(request, response, url).catch((error: unknown) => {
      console.error(error)
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url, stop }
}

const send = (response: ServerResponse, type: string, body: string | Buffer): void => {
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}
