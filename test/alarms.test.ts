/**
 * Alarms from the fault to the message and to the all-clear, over real HTTP to receivers that check what each robot's manual says
 * (support/alarm-receivers.ts). The clock is the test's, so the seconds are those of the rules. docs/alarms.md has the table.
 */

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { noteComplaint } from '@acopay/store'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runbookOf } from '../apps/server/src/actions/alarm/kinds.ts'
import type { AlarmReceiver } from './support/alarm-receivers.ts'
import { type Alarms, alarmsOf } from './support/alarms.ts'
import { close, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const HOUR_S = 3600

let gateway: TestWorld
let alarms: Alarms
let robot: AlarmReceiver & { channelId: string }
/** A shop whose server the test breaks. */
let shop: { url: string; isUp: boolean; stop: () => Promise<void> }
beforeAll(async () => {
  gateway = await testWorld({ publicUrl: 'https://pay.example.com' })
  alarms = alarmsOf(gateway)
  shop = await startShop()
})
afterAll(async () => {
  await alarms.stop()
  await shop.stop()
  await gateway.stop()
})
beforeEach(async () => {
  const { pool } = gateway.database
  for (const table of ['alarm', 'alarm_news', 'alarm_channel']) await pool.query(`delete from ${table}`)
  robot = await alarms.channel('dingtalk')
  shop.isUp = true
})

async function startShop() {
  const server = createServer((_request, response) => {
    response.writeHead(made.isUp ? 200 : 503, { 'content-type': 'application/json; charset=utf-8' })
    response.end('{"status":"SUCCESS","message":"成功"}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const made = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/told`,
    isUp: true,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return made
}

const inMs = (ms: number): string => new Date(gateway.world.now().getTime() + ms).toISOString()
const sql = (text: string, values: unknown[] = []) => gateway.database.pool.query(text, values)

async function paidOrder(): Promise<string> {
  const order = await place(gateway.demo, { notify_url: shop.url })
  await pay(gateway.demo, order, (await openAttempt(gateway.demo, order)) ?? '')
  return order
}

async function withSilentUpstream(): Promise<void> {
  const orders = await Promise.all(Array.from({ length: 12 }, () => place(gateway.demo)))
  for (const order of orders) await openAttempt(gateway.demo, order)
  await alarms.look(1)
  gateway.upstreams.faults('wechat').set([{ kind: 'error_before' }])
  for (const order of orders) await gateway.whileTimePasses(close(gateway.demo, order))
}

/** What failed is tried again an hour later; until then the alarm is still there. */
async function anHourLater(): Promise<void> {
  gateway.advance(HOUR_S * 1000)
  await alarms.look(1)
  await gateway.runJobs()
}

async function healUpstream(): Promise<void> {
  gateway.upstreams.faults('wechat').set([])
}

type Fault = {
  kind: string
  zh: string
  en: string
  /** Answers what the message says. */
  make: () => Promise<RegExp>
  heal: () => Promise<unknown>
  /** Seconds in which nothing is told: before it is, and before its end is. */
  calmS?: [before: number, after: number]
}

const FAULTS: Fault[] = [
  {
    kind: 'stuck',
    zh: '上游不应答，12个订单停在关单中',
    en: 'the upstream does not answer, 12 orders stay CLOSING',
    make: async () => {
      await withSilentUpstream()
      return /关单超过25分钟 × 12/
    },
    heal: async () => {
      await healUpstream()
      await anHourLater()
    },
    calmS: [1400, 280],
  },
  {
    kind: 'stuck',
    zh: '没有进程执行任务，一个订单过期未关闭',
    en: 'no process does jobs, an order is not closed at its expiry',
    make: async () => {
      await place(gateway.demo, { time_expire: inMs(60_000) })
      return /过期超过25分钟仍未关闭的订单/
    },
    heal: () => gateway.runJobs(),
    calmS: [1500, 280],
  },
  {
    kind: 'upstream-silent',
    zh: '上游对每个关单都不应答',
    en: 'the upstream answers no close',
    make: async () => {
      await withSilentUpstream()
      return /上游超过五分之一的调用没有明确应答：wechat/
    },
    heal: healUpstream,
    calmS: [0, 0],
  },
  {
    kind: 'upstream-resting',
    zh: '同上，账户被暂停调用',
    en: 'the same; the account rests',
    make: async () => {
      await withSilentUpstream()
      return /上游账户连续失败，暂停调用：wechat/
    },
    heal: healUpstream,
    calmS: [0, 0],
  },
  {
    kind: 'upstream-refuses',
    zh: '上游应答 SIGN_ERROR',
    en: 'the upstream answers SIGN_ERROR',
    make: async () => {
      const account = { mchNo: gateway.demo.mchNo, channel: 'alipay' }
      await noteComplaint(gateway.world.pool, account, 'SIGN_ERROR', gateway.world.now())
      return /上游拒绝此账户的请求，请检查密钥与编号：MCH1000000\/alipay/
    },
    heal: () =>
      noteComplaint(gateway.world.pool, { mchNo: gateway.demo.mchNo, channel: 'alipay' }, null, gateway.world.now()),
  },
  {
    kind: 'system-errors',
    zh: '5个请求应答1500',
    en: '5 calls are answered 1500',
    make: async () => {
      await alarms.look(1)
      for (let call = 0; call < 5; call += 1)
        gateway.world.metrics.call({ call: 'close', outcome: 'SYSTEM_ERROR', by: 'merchant' }, 0.01)
      return /超过1%的请求应答1500/
    },
    heal: async () => {},
    calmS: [0, 0],
  },
  {
    kind: 'late-notifications',
    zh: '商户服务器应答503',
    en: "a merchant's server answers 503",
    make: async () => {
      shop.isUp = false
      await paidOrder()
      await gateway.runJobs()
      return /通知超过25分钟未送达/
    },
    calmS: [1400, 280],
    heal: async () => {
      shop.isUp = true
      await anHourLater()
    },
  },
  {
    kind: 'dead-letters',
    zh: '商户服务器一天没有应答',
    en: "a merchant's server did not answer for a day",
    make: async () => {
      shop.isUp = false
      await paidOrder()
      for (let hour = 0; hour < 16; hour += 1) {
        await gateway.runJobs()
        gateway.advance(6 * HOUR_S * 1000)
      }
      return /通知已放弃发送/
    },
    heal: async () => {
      shop.isUp = true
      await sql(
        "update notification set state = 'PENDING', due_at = $1, round_at = $1, tries = 0 where state = 'DEAD'",
        [gateway.world.now()],
      )
      await gateway.runJobs()
    },
  },
  {
    kind: 'unmatched-payments',
    zh: '上游告知了一笔未知订单的付款',
    en: 'an upstream tells of a payment for an unknown order',
    make: async () => {
      await sql(
        `insert into stray_payment (mch_no, channel, attempt_no, payment_no, amount_fen, currency, paid_at, heard_at)
         values ($1, 'wechat', 'AT20260301120000000000000000000001', 'UP1', 500, 'CNY', $2, $2)`,
        [gateway.demo.mchNo, gateway.world.now()],
      )
      return /上游的付款没有对应订单/
    },
    heal: () => sql("update stray_payment set settled_at = $1, settled_by = 'fin', note = 'x'", [gateway.world.now()]),
  },
  {
    kind: 'differences',
    zh: '对账发现上游账单缺一笔付款',
    en: 'a reconciliation finds a payment that the bill lacks',
    make: async () => {
      await sql(
        `insert into reconciliation_difference (mch_no, channel, day, kind, attempt_no, payment_no, refund_no, settled, found_at)
         values ($1, 'wechat', '2026-02-28', 'PAYMENT_MISSING', 'AT1', 'UP1', '', false, $2)`,
        [gateway.demo.mchNo, gateway.world.now()],
      )
      return /对账有未处理的差异/
    },
    heal: () => sql('update reconciliation_difference set settled = true'),
  },
  {
    kind: 'alarm',
    zh: '日志告警：时钟不可信',
    en: 'a log line: the clock is in doubt',
    make: async () => {
      gateway.world.log.error({ against: 'database', alarm: true }, 'the clock is in doubt: no order expires')
      return /日志告警：时钟不可信，订单暂不过期/
    },
    calmS: [0, 3500],
    heal: async () => {},
  },
  {
    kind: 'alarm-channel-failing',
    zh: '企业微信机器人应答45009',
    en: 'the WeCom robot answers 45009',
    make: async () => {
      const other = await alarms.channel('wecom', '值班群')
      await alarms.look(1)
      gateway.world.log.error({ alarm: true }, 'too many connections')
      other.refuse({ body: { errcode: 45009, errmsg: 'api freq out of limit' } })
      failing = other
      return /告警渠道发送失败：值班群/
    },
    heal: async () => failing?.refuse(null),
  },
]
let failing: AlarmReceiver | null = null

/** Rows of docs/alarms.md as the tests below measured them. */
const measured: string[][] = []

describe('a fault is told, and its end', () => {
  it.each(FAULTS.map((fault) => [fault.kind, fault.en, fault] as const))('%s: %s', async (kind, _en, fault) => {
    const says = await fault.make()
    const [calmBeforeS, calmAfterS] = fault.calmS ?? [0, 280]
    const seconds = await alarms.secondsUntil(robot, says, calmBeforeS)
    const told = robot.heard.find(({ text }) => says.test(text))?.text ?? ''
    expect(told).toContain(runbookOf(kind))
    expect(told).toContain('https://pay.example.com/console/')
    await fault.heal()
    const clear = new RegExp(`✅ [^\\n]*${says.source.replace(/ × \d+$/, '')}`)
    const untilClear = await alarms.secondsUntil(robot, clear, calmAfterS)
    measured.push([fault.kind, fault.zh, fault.en, String(seconds), String(untilClear)])
    // The counters of this process, and the orders, are as they were.
    await anHourLater()
  })

  it('in the seconds that docs/alarms.md says', () => {
    for (const [page, at] of [['docs/alarms.md', 2] as const, ['docs/alarms.zh-CN.md', 1] as const]) {
      const rows = [...readFileSync(page, 'utf8').matchAll(/^\| `([\w-]+)` \| ([^|]+) \| (\d+) \| (\d+) \|$/gm)]
      expect(rows.map(([, kind, fault]) => [kind, fault])).toEqual(measured.map((row) => [row[0], row[at]]))
      const apart = rows.flatMap(([, , , told, over], index) => [
        Math.abs(Number(told) - Number(measured[index]?.[3])),
        Math.abs(Number(over) - Number(measured[index]?.[4])),
      ])
      // How long the calls of a fault take differs by the machine.
      expect(Math.max(...apart)).toBeLessThanOrEqual(60)
    }
  })
})

describe('what is told', () => {
  it('of many orders is one line, with the first three and a link to each', async () => {
    const orders = await Promise.all(
      Array.from({ length: 5 }, () => place(gateway.demo, { time_expire: inMs(60_000) })),
    )
    await alarms.secondsUntil(robot, /过期超过25分钟仍未关闭的订单 × 5/, 1500)
    const text = robot.heard.at(-1)?.text ?? ''
    const links = [...text.matchAll(/https:\/\/pay\.example\.com\/console\/orders\/MCH1000000\/(AP\d+)/g)]
    expect(links.map(([, order]) => order)).toEqual(orders.toSorted().slice(0, 3))
    await gateway.runJobs()
  })

  it('in one message is all that was raised within twenty seconds', async () => {
    const before = robot.heard.length
    gateway.world.log.error({ alarm: true }, 'too many connections')
    await alarms.look(1)
    gateway.world.log.error({ alarm: true }, 'a kept payment was sent back upstream')
    await alarms.look(6)
    expect(robot.heard.slice(before)).toHaveLength(1)
    expect(robot.heard.at(-1)?.text).toMatch(/2条告警 2 alarms[\s\S]*连接过多[\s\S]*已入账的付款被上游退回/)
  })

  it('once while it lasts, and again only after four hours', async () => {
    const shout = async () => gateway.world.log.error({ alarm: true }, 'too many connections')
    const before = robot.heard.length
    await shout()
    await alarms.look(3)
    expect(robot.heard.length - before).toBe(1)
    for (let half = 0; half < 8; half += 1) {
      gateway.advance(1_780_000)
      await alarms.look(1, shout)
    }
    expect(robot.heard.length - before).toBe(1)
    gateway.advance(300_000)
    await alarms.look(3, shout)
    expect(robot.heard.at(-1)?.text).toMatch(/🔁 日志告警：连接过多[\s\S]*已持续4小时/)
  })

  it('of what comes and goes is little: back within the hour, it is over only after half an hour', async () => {
    const account = { mchNo: gateway.demo.mchNo, channel: 'alipay' }
    const flap = (word: string | null) => noteComplaint(gateway.world.pool, account, word, gateway.world.now())
    const before = robot.heard.length
    for (let time = 0; time < 5; time += 1) {
      await flap('SIGN_ERROR')
      await alarms.look(6)
      await flap(null)
      await alarms.look(36)
    }
    // Raised, over, back; and then it stays open over all the rest.
    expect(robot.heard.length - before).toBe(3)
    expect(await alarms.secondsUntil(robot, /✅ 上游拒绝/, 1400)).toBe(1440)
  })

  it('in an hour is at most twenty messages, and the rest comes in one', async () => {
    const before = robot.heard.length
    for (let one = 0; one < 30; one += 1) {
      gateway.world.log.error({ alarm: true }, `line ${one}`)
      await alarms.look(4)
    }
    expect(robot.heard.length - before).toBe(20)
    gateway.advance(HOUR_S * 1000)
    await alarms.look(1)
    expect(robot.heard.length - before).toBe(21)
    expect(robot.heard.at(-1)?.text).toMatch(/10条告警 10 alarms/)
  })
})

describe('several processes', () => {
  it('tell each thing once, also when all of them look at the same moment', async () => {
    const others = Array.from({ length: 4 }, () => alarmsOf(gateway))
    await noteComplaint(
      gateway.world.pool,
      { mchNo: gateway.demo.mchNo, channel: 'alipay' },
      'SIGN_ERROR',
      gateway.world.now(),
    )
    const before = robot.heard.length
    for (let time = 0; time < 6; time += 1) {
      gateway.advance(10_000)
      await Promise.all([alarms, ...others].map(({ watch }) => watch.round()))
    }
    expect(robot.heard.length - before).toBe(1)
    await noteComplaint(gateway.world.pool, { mchNo: gateway.demo.mchNo, channel: 'alipay' }, null, gateway.world.now())
  })

  it('each say from memory that the database does not answer, and that it is back', async () => {
    let isAway = false
    const away = async () => {
      throw new Error('the database is away')
    }
    const pool = new Proxy(gateway.world.pool, {
      get(target, name) {
        if (isAway && (name === 'query' || name === 'connect')) return away
        const value = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const { watch } = alarmsOf(gateway, { ...gateway.world, pool, random: () => 0 })
    const rounds = async (seconds: number): Promise<void> => {
      for (let time = 0; time < seconds; time += 10) {
        gateway.advance(10_000)
        await watch.round()
      }
    }
    await rounds(10)
    const before = robot.heard.length
    isAway = true
    gateway.world.log.error({ alarm: true }, 'too many connections')
    await rounds(60)
    expect(robot.heard.length - before).toBe(0)
    await rounds(10)
    expect(robot.heard.at(-1)?.text).toMatch(/🔴 网关无法服务：数据库无法连接/)
    await rounds(600)
    expect(robot.heard.length - before).toBe(1)
    isAway = false
    await rounds(10)
    expect(robot.heard.at(-1)?.text).toMatch(/✅ 网关无法服务：数据库无法连接（已恢复，持续11分钟）/)
    // What the log said meanwhile is not lost.
    await rounds(30)
    expect(robot.heard.at(-1)?.text).toMatch(/连接过多/)
  })
})
