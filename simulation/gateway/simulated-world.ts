/** Builds the world of one run: clock, database, upstreams, merchant and gateway processes. */
import type { ChannelName, RawWebhook, WebhookReply } from '@acopay/channels'
import type pg from 'pg'
import { receiveWebhook } from '../../apps/server/src/actions/payment/receive-webhook.ts'
import { type Gateway, gatewayOf, MCH, START_MS } from './gateway.ts'
import { brokenBooks, brokenNow } from './invariants.ts'
import { merchantOf } from './merchant.ts'
import { mishapsOf } from './mishaps.ts'
import type { KnownOrder } from './operations.ts'
import { processesOf } from './processes.ts'
import { random } from './random.ts'
import { newRecord, type RunRecord } from './record.ts'
import type { Scenario } from './scenario.ts'
import { scheduler } from './scheduler.ts'
import { ledger } from './told.ts'
import type { Payment } from './trades.ts'
import { turnstile } from './turnstile.ts'
import { isAcknowledged, upstream } from './upstream.ts'
import type { News } from './upstream-parts.ts'
import { unbooked, unwrittenCall } from './written.ts'

export type SimulatedWorld = ReturnType<typeof simulatedWorld>

export function simulatedWorld(connection: pg.Client, plan: Scenario) {
  const schedule = scheduler(START_MS, random(plan.seed, 'ties'))
  const record = newRecord(schedule.nowMs)
  const { say, count, broke } = record
  let isResting = false
  const mishaps = mishapsOf(plan, () => isResting, record)
  const database = turnstile(connection, schedule, random(plan.seed, 'database'), {
    isSlow: () => !isResting && plan.ownFaults.includes('database slow'),
    mishap: mishaps.statement,
    onWrite: async () => {
      const broken =
        (await brokenNow(connection, schedule.nowMs())) ??
        (await brokenBooks(connection, upstreams.trades(), schedule.nowMs()))
      if (broken !== null) broke(broken)
    },
    onForeignWait: () => broke('T1: a process waits for something else inside a transaction'),
  })
  const waiting = (): void => {
    if (database.isHeld()) broke('T1: a process waits for the network inside a transaction')
  }
  // What the outside knows: the orders' numbers, and what the merchant was answered and told.
  const orders = knownOrders(plan)
  const paymentsOf = (orderNo: string): Payment[] => {
    const numbers = orders.find(({ no }) => no === orderNo)?.attempts ?? []
    return upstreams.trades().flatMap(({ no, payments }) => (numbers.includes(no) ? payments : []))
  }
  const told = ledger({ nowMs: schedule.nowMs, paymentsOf, broke })
  const chance = random(plan.seed, 'chance')
  const processes = processesOf(schedule, record, chance, (name) =>
    gatewayOf(name, plan, schedule, { database, upstreams, merchant, waiting, mishaps }),
  )
  const { anyGateway } = processes
  const upstreams = upstream(schedule, random(plan.seed, 'upstream'), plan, {
    notify: (channel, raw, news) =>
      deliverWebhook({ gateway: anyGateway(), connection, record, failed: mishaps.failed }, { channel, raw, news }),
    called: (verb, no) =>
      void unwrittenCall(connection, verb, no, schedule.nowMs()).then((broken) => broken !== null && broke(broken)),
    deathAt: mishaps.deathAt,
    crash: (process) => processes.crash(process, mishaps.restartMs()),
    bills: mishaps,
    fault: (fault, phase) => count(`fault ${fault} × ${phase}`),
    quirk: (what) => count(`quirk ${what}`),
    story: say,
    waiting,
  })
  const merchant = merchantOf(schedule, plan, { isResting: () => isResting, say, broke, count, ledger: () => told })
  return {
    plan,
    schedule,
    record,
    database,
    orders,
    told,
    ...processes,
    chance,
    upstreams,
    merchant,
    failed: mishaps.failed,
    rest(): void {
      isResting = true
      upstreams.rest()
    },
    /** In the morning, when the bills are read, processes and statements may fail again. */
    wake(): void {
      isResting = false
    },
  }
}

const knownOrders = (plan: Scenario): KnownOrder[] =>
  plan.orders.map(({ expiresInMs }, index) => ({
    number: index + 1,
    no: null,
    attempts: [],
    closingSinceMs: START_MS + expiresInMs,
  }))

/** An upstream sends a webhook; null if no gateway is alive, or the one that receives it dies before it answers. */
async function deliverWebhook(
  to: { gateway: Gateway | null; connection: pg.Client; record: RunRecord; failed: (what: string) => void },
  { channel, raw, news }: { channel: ChannelName; raw: RawWebhook; news: News | null },
): Promise<WebhookReply | null> {
  const { gateway, connection, record, failed } = to
  if (gateway === null) return null
  const { world, process } = gateway
  const dies = new Promise<'died'>((resolve) => process.whenDead.push(() => resolve('died')))
  const receives = receiveWebhook(world, { mchNo: MCH, channel }, raw).catch((error: Error) => {
    failed(`a webhook: ${error.message}`)
    return { reply: { status: 500, contentType: '', body: '' }, outcome: error.message }
  })
  const received = await Promise.race([receives, dies])
  if (received === 'died') return null
  record.say(`${process.name}: receives a webhook of ${channel}: ${received?.outcome}`)
  if (isAcknowledged(received?.reply ?? null)) {
    if (news === null) record.broke(`W3: a stranger's webhook of ${channel} is acknowledged`)
    const broken =
      news !== null && 'paymentNo' in news ? await unbooked(connection, news.attemptNo, news.paymentNo) : null
    if (broken !== null) record.broke(broken)
  }
  return received?.reply ?? null
}
