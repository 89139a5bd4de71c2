/** The background work of a gateway on a database of several nodes, whose clocks a test moves. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { HEARD } from '@acopay/protocol'
import { insertNotification, insertOrders, type Pool } from '@acopay/store'
import { pino } from 'pino'
import { lookForAlarms } from '../../apps/server/src/actions/alarm/look.ts'
import { forgetOldRows } from '../../apps/server/src/actions/calls/forget-rows.ts'
import { forgetOldCalls } from '../../apps/server/src/actions/calls/keep-calls.ts'
import { lookout } from '../../apps/server/src/jobs/lookout.ts'
import { notifier } from '../../apps/server/src/jobs/notifier.ts'
import { runDueJobs } from '../../apps/server/src/jobs/worker.ts'
import { masterKeysOf } from '../../apps/server/src/security/vault.ts'
import { buildWorld } from '../../apps/server/src/start/build-world.ts'
import { sureClock } from '../../apps/server/src/start/clock.ts'
import { readConfig } from '../../apps/server/src/start/config.ts'
import { merchantsOf } from '../../apps/server/src/start/merchant-groups.ts'
import { newOrder, placing } from './orders.ts'

type Line = { level: number; msg: string; nodes?: string[]; err?: { message: string } }

export type NodesWorld = Awaited<ReturnType<typeof nodesWorld>>

export async function nodesWorld(pool: Pool, start: Date) {
  let now = start
  let steadyMs = 0
  const lines: Line[] = []
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Line) })
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const none = () => ''
  const clock = { ...sureClock(() => now), steadyMs: () => steadyMs }
  const world = buildWorld({
    config: readConfig({}, '/nowhere'),
    ...{ pool, log, clock },
    ...{ publicUrl: none, ownUrl: none, sandboxUrl: none },
    master: masterKeysOf(Buffer.alloc(32)),
    purposeKey: () => Buffer.alloc(32),
    signingKey: () => ({
      keyId: 'k',
      publicKeyText: '',
      sign: async (text: string) => sign('sha256', Buffer.from(text), privateKey).toString('base64'),
    }),
    outgoing: {
      post: async () => ({ httpStatus: 200, reply: JSON.stringify(HEARD) }),
      addressOf: async () => null,
      refusal: () => null,
      close: async () => {},
    },
    sleep: async () => {},
    ...(await merchantsOf(pool, () => steadyMs, log)),
  })
  const telling = notifier(world)
  const look = lookout(world, 0)
  return {
    world,
    lines,
    /** As a process does it that has nothing else to do. */
    async round(): Promise<void> {
      const due = await look(new AbortController().signal)
      await forgetOldRows(world)
      await forgetOldCalls(world)
      await runDueJobs(world)
      await telling.sendDue(due.notifications)
      await telling.settled()
      await lookForAlarms(world, world.now())
    },
    advance(ms: number): void {
      now = new Date(now.getTime() + ms)
      steadyMs += ms
    },
  }
}

/** An order of this merchant that has lapsed, with a notification that is due. */
export async function leaveWork(pool: Pool, mchNo: string, at: Date): Promise<string> {
  const order = newOrder({ mchNo, timeExpire: at })
  await insertOrders(pool, [placing(order)])
  const { transactionNo } = order
  const [host, url] = ['shop.example', 'https://shop.example/told']
  await insertNotification(pool, { mchNo, transactionNo, seq: 1, kind: 'payment', url, host, news: '{}' }, at)
  return transactionNo
}

type Left = { mchNo: string; state: string; told: string; bills: number; jobs: number }

/** How far the work of these merchants is, each order with its notification. The caller says that their nodes answer. */
export async function progressOf(pool: Pool, orders: Map<string, string>): Promise<Map<string, Omit<Left, 'mchNo'>>> {
  const { rows } = await pool.query<Left>(
    `select o.mch_no as "mchNo", o.state, n.state as told,
            (select count(*)::int from bill b where b.mch_no = any ($1) and b.mch_no = o.mch_no) as bills,
            (select count(*)::int from job j where j.mch_no = any ($1) and j.mch_no = o.mch_no) as jobs
       from orders o join notification n on n.mch_no = o.mch_no and n.transaction_no = o.transaction_no
      where o.mch_no = any ($1) and n.mch_no = any ($1) and o.transaction_no = any ($2)`,
    [[...orders.keys()], [...orders.values()]],
  )
  return new Map(rows.map(({ mchNo, ...left }) => [mchNo, left]))
}
