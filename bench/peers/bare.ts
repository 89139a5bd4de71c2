/** The same requests on a server that only verifies and signs: what is left of a close when everything that may be spared is. */
import { createPublicKey } from 'node:crypto'
import path from 'node:path'
import { keyText, privateKeyFrom } from '@acopay/protocol'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import type { Stack } from '../stack/stack.ts'
import { openLanes } from '../work/lanes.ts'
import { closings } from '../work/orders.ts'
import type { OpenedPeer } from './opened.ts'
import { startPeer } from './server.ts'

export async function openBare({ merchants }: Stack, connections: number): Promise<Omit<OpenedPeer, 'place'>> {
  const merchant = merchants[0] as DemoSettings
  const MERCHANT_KEY = keyText(createPublicKey(privateKeyFrom(merchant.mchPrivateKey)))
  const server = await startPeer<{ url: string }>(path.join(import.meta.dirname, 'bare'), { MERCHANT_KEY })
  const { url } = server.said
  const lanes = await openLanes({ gateways: [url], payers: url, connections })
  return {
    subject: 'node:http',
    unlike: {
      en: 'no order and no database: HTTP, one verification, one signature, and so the floor of whatever is built on it',
      zh: '没有订单，也没有数据库：只有 HTTP、一次验签与一次签名，是任何建在其上的系统的下限',
    },
    cpuUs: server.cpuUs,
    async close(count) {
      const orders = Array.from({ length: count }, (_, at) => ({ of: merchant, transactionNo: numberOf(at) }))
      const calls = await closings(orders)
      return () => lanes.run(calls)
    },
    async stop() {
      lanes.end()
      await server.stop()
    },
  }
}

const numberOf = (at: number): string => `AP${String(at).padStart(36, '0')}`
