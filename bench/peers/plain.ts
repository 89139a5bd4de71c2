/** The same work on the plain service: the very requests that the gateway gets. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { keyText, privateKeyFrom } from '@acopay/protocol'
import { openPool } from '@acopay/store'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import type { Stack } from '../stack/stack.ts'
import { openLanes } from '../work/lanes.ts'
import { closings, placings } from '../work/orders.ts'
import { installedAt } from './install.ts'
import type { OpenedPeer } from './opened.ts'
import { startPeer } from './server.ts'

export async function openPlain({ database, merchants }: Stack, connections: number): Promise<OpenedPeer> {
  const merchant = merchants[0] as DemoSettings
  const DATABASE_URL = await database.another('peer_plain')
  await fill(DATABASE_URL, merchant)
  const PLATFORM_KEY = keyText(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
  const server = await startPeer<{ url: string }>(installedAt('plain'), { DATABASE_URL, PLATFORM_KEY })
  const { url } = server.said
  const lanes = await openLanes({ gateways: [url], payers: url, connections })
  return {
    subject: 'Express 5 + Prisma 7',
    unlike: {
      en: 'knows no payments, upstreams, expiry, notifications, timeline or limits: it does less for each order',
      zh: '没有支付、上游、过期、通知、时间线与限流：每个订单做的事更少',
    },
    cpuUs: server.cpuUs,
    async place(count) {
      const calls = await placings([merchant], count)
      return () => lanes.run(calls)
    },
    async close(count) {
      const answers = await lanes.ask(await placings([merchant], count))
      const numbers = answers.map((answer) => (JSON.parse(answer) as Answer).data.transaction_no)
      const calls = await closings(numbers.map((transactionNo) => ({ of: merchant, transactionNo })))
      return () => lanes.run(calls)
    },
    async stop() {
      lanes.end()
      await server.stop()
    },
  }
}

type Answer = { data: { transaction_no: string } }

async function fill(connectionString: string, { mchNo, mchPrivateKey }: DemoSettings): Promise<void> {
  const pool = openPool({ connectionString, max: 1 })
  await pool.query(readFileSync(path.join(import.meta.dirname, 'plain', 'tables.sql'), 'utf8'))
  const publicKey = keyText(createPublicKey(privateKeyFrom(mchPrivateKey)))
  await pool.query('insert into merchant (number, public_key) values ($1, $2)', [mchNo, publicKey])
  await pool.end()
}
