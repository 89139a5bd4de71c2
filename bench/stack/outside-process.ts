/**
 * What is outside the gateway, in a process of its own so that no figure of the gateway holds any of it: WeChat Pay's stand-in, payers,
 * and the shop that hears notifications. Started by outside.ts, which sends the first message.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listen, memoryBooks, seededFaults } from '@acopay/upstreams'
import { type newSettings, standInsOf } from '../../apps/server/src/sandbox/upstreams.ts'
import type { FromOutside, ToOutside } from './outside.ts'

const SEED = 1
const HEARD = '{"status":"SUCCESS","message":"成功"}'
const WEBHOOK = /^https?:\/\/[^/]+(\/notify\/.*)$/

let gateways: string[] = []
let webhooks = 0
let arrived = 0

const tell = (message: FromOutside): void => void process.send?.(message)

process.on('message', (message: ToOutside) => {
  if (message.kind === 'settings') void open(message.settings, message.hosts)
  if (message.kind === 'gateways') gateways = message.urls
  if (message.kind === 'arrived') tell({ kind: 'arrived', count: arrived })
})
process.on('disconnect', () => process.exit(0))

async function open(settings: ReturnType<typeof newSettings>, hosts: string[]): Promise<void> {
  const { wechat } = standInsOf(settings, () => ({
    books: memoryBooks(),
    faults: seededFaults(SEED),
    now: () => new Date(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    deliver,
  }))
  const upstream = await listen(wechat.handle)
  const payers = createServer((request, response) => void paying(wechat.control, request, response))
  const payersPort = await listening(payers, '127.0.0.1', 0)
  const shop = (request: IncomingMessage, response: ServerResponse): void => {
    request.resume().on('end', () => {
      arrived += 1
      response.setHeader('content-type', 'application/json').end(HEARD)
    })
  }
  let shopPort = 0
  for (const host of hosts) shopPort = await listening(createServer(shop), host, shopPort)
  tell({ kind: 'open', upstream: upstream.url, payers: `http://127.0.0.1:${payersPort}`, shopPort })
}

/** A webhook names the gateway's public address; it is brought to one of the processes, in turn. */
async function deliver(url: string, headers: Record<string, string>, body: string) {
  const gateway = gateways[webhooks % gateways.length] ?? ''
  webhooks += 1
  const response = await fetch(gateway + (WEBHOOK.exec(url)?.[1] ?? ''), { method: 'POST', headers, body })
  return { status: response.status, body: await response.text() }
}

type Control = ReturnType<typeof standInsOf>['wechat']['control']

/** `POST /NUMBER`: the payer pays, and is answered when the gateway has heard of it. */
async function paying(control: Control, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume()
  const paid = await control.pay((request.url ?? '/').slice(1)).catch(() => null)
  const body = paid === null ? 'refused' : 'paid'
  response.writeHead(200, { 'content-length': body.length }).end(body)
}

/** Its connections stay open however long they are idle, because minutes of preparation lie between two runs. */
async function listening(server: ReturnType<typeof createServer>, host: string, port: number): Promise<number> {
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  return (server.address() as AddressInfo).port
}
