/** `trigger`, `logs` and `doctor` against a gateway whose clock moves while the command waits. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { newKeyPair } from '@acopay/sdk'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testIo } from '../../../test/support/cli.ts'
import { call, query } from '../../../test/support/merchant.ts'
import { type TestWorld, testWorld } from '../../../test/support/world.ts'
import type { Io } from './command.ts'
import { run } from './run.ts'

let gateway: TestWorld
let dir: string
beforeAll(async () => {
  // Orders are placed with expiry times of this machine.
  gateway = await testWorld({ start: new Date() })
})
afterAll(() => gateway.stop())
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-cli-'))
  settings({})
})
afterEach(() => rmSync(dir, { recursive: true }))

const settings = (other: object): void =>
  writeFileSync(path.join(dir, 'settings.json'), JSON.stringify({ ...gateway.demo, ...other }), { mode: 0o600 })

/** While the command waits, the gateway works and its clock goes on. */
const pause = async (ms: number): Promise<void> => {
  gateway.advance(Math.max(ms, 1000))
  await gateway.runJobs()
}

async function acopay(words: string[], more: Partial<Io> = {}) {
  const io = testIo({
    cwd: dir,
    env: { ACOPAY_CONFIG: 'settings.json' },
    pause,
    nowMs: () => gateway.world.now().getTime(),
    ...more,
  })
  const exit = await run(words, io)
  return { exit, out: io.printed.out.join('\n'), err: io.printed.err.join('\n') }
}

async function triggered(event: string, ...flags: string[]) {
  const { exit, out, err } = await acopay(['trigger', event, '--json', ...flags])
  expect([exit, err]).toEqual([0, event === 'expiry' && flags.length === 0 ? expect.stringContaining('过期') : ''])
  return JSON.parse(out)
}

describe('acopay trigger', () => {
  it('payment: places an order and pays it, or pays the one that is named', async () => {
    const first = await triggered('payment', '--amount', '3.21', '--channel', 'alipay')
    expect(first).toMatchObject({ event: 'payment', state: 'SUCCESS', transactionNo: expect.stringMatching(/^AP/) })
    expect((await query(gateway.demo, first.transactionNo)).data).toMatchObject({
      code: 'SUCCESS',
      amount_total: '3.21',
    })
    const placed = await acopay(['order', 'place', '--amount', '1.00', '--description', 'x', '--json'])
    const { mchTradeNo } = JSON.parse(placed.out)
    expect(await triggered('payment', '--mch-trade-no', mchTradeNo)).toMatchObject({ mchTradeNo, state: 'SUCCESS' })
    const { out } = await acopay(['trigger', 'payment'])
    expect(out).toMatch(
      /- 已下单 12\.50 元 order of 12\.50 CNY placed: AP\d+\n[\s\S]*付款人已付款 the payer has paid[\s\S]*order query --transaction-no AP/,
    )
  })

  it('late-payment and second-payment: the money that the order does not keep goes back', async () => {
    const late = await triggered('late-payment')
    expect(late).toMatchObject({ state: 'CLOSED' })
    expect(late.steps.at(-1).en).toBe('the gateway has sent it back to the payer')
    const second = await triggered('second-payment')
    expect(second).toMatchObject({ state: 'SUCCESS', secondAttemptNo: expect.stringMatching(/^AT/) })
    expect(second.steps.at(-1).en).toBe('the gateway has sent it back to the payer')
  })

  it('refund, close and bill', async () => {
    const refund = await triggered('refund')
    expect(refund).toMatchObject({ refundNo: expect.stringMatching(/^AR/), state: 'SUCCESS' })
    expect(await triggered('close')).toMatchObject({ state: 'CLOSED' })
    const { billDate, billFrom } = await triggered('bill')
    const beijing = new Date(gateway.world.now().getTime() + 8 * 3_600_000).toISOString().slice(0, 10)
    expect(billDate).toBe(beijing)
    expect(Date.parse(billFrom)).toBe(Date.parse(`${billDate}T01:00:00Z`) + 86_400_000)
  })

  it('expiry: waits until the order is closed, or says when it will be', async () => {
    const ended = await triggered('expiry')
    expect(ended).toMatchObject({ state: 'CLOSED', expires: expect.stringMatching(/Z$/) })
    expect(await triggered('expiry', '--skip-wait')).toMatchObject({ state: 'NOTPAY' })
  })

  it('does nothing at a gateway that is no sandbox, or that says no', async () => {
    const server = await serverOf(200)
    const { exit, err } = await acopay(['trigger', 'payment', '--base-url', server.url])
    expect([exit, err]).toEqual([2, expect.stringContaining('is no sandbox')])
    expect(server.asked).toEqual(['GET /healthz'])
    expect((await acopay(['trigger', 'payment', '--base-url', 'http://127.0.0.1:1'])).exit).toBe(5)
    const { transactionNo } = await triggered('close')
    const refused = await acopay(['trigger', 'payment', '--transaction-no', transactionNo])
    expect([refused.exit, refused.err]).toEqual([1, expect.stringContaining('ORDER_CLOSED')])
    expect((await acopay(['trigger', 'payment', '--channel', 'cash'])).exit).toBe(2)
    expect((await acopay(['trigger', 'storm'])).err).toContain('trigger storm')
  })
})

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** A server that answers everything alike. */
async function serverOf(status: number, body = '{}'): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(status).end(body)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

describe('acopay logs', () => {
  const forged = () =>
    call(gateway.demo, {
      method: 'POST',
      path: 'close',
      params: { transaction_no: 'AP1' },
      headers: { 'x-acopay-sign': 'none' },
    })

  it('shows calls, and what the check of the signature saw', async () => {
    await query(gateway.demo, 'AP404')
    await forged()
    const logs = async (...flags: string[]) => {
      await gateway.world.callLog.write()
      return (await acopay(['logs', ...flags])).out
    }
    await expect
      .poll(() => logs('--status', '1002'))
      .toMatch(
        /POST close {2}HTTP 200 1002 SIGN_ERROR[\s\S]*未通过验签[\s\S]*网关拼出的文本 text that the gateway built: \{"mch_no"/,
      )
    expect(await logs('--number', 'AP404')).toMatch(
      /^\S+Z {2}GET trade {2}HTTP 200 1007 ORDER_NOT_EXIST {2}AP404 {2}\d+ ms {2}[0-9a-f-]{36}$/m,
    )
    expect(await logs('--number', 'AP404', '--wide')).toContain('公钥 key: ')
    expect(await logs('--number', 'none')).toBe('没有调用 no calls')
    expect((await acopay(['logs', '--status', 'x'])).exit).toBe(2)
    const { calls } = JSON.parse(await logs('--status', '1002', '--json'))
    expect(calls[0]).toMatchObject({ signature: 'NO_SIGNATURE', message: 'SIGN_ERROR' })
  })

  it('goes on with new calls until it is stopped, each once', async () => {
    gateway.advance(60_000)
    const said: string[] = []
    let stop = (): void => {}
    const stopped = new Promise<void>((resolve) => {
      stop = resolve
    })
    let polls = 0
    const between = async (): Promise<void> => {
      polls += 1
      gateway.advance(1000)
      if (polls === 1) await query(gateway.demo, 'AP-TAIL')
      await gateway.world.callLog.write()
      if (said.some((line) => line.includes('AP-TAIL')) && polls > 4) stop()
      if (polls > 200) throw new Error('the call never appeared')
    }
    const words = ['logs', '--tail', '--json', '--from', gateway.world.now().toISOString()]
    const { exit } = await acopay(words, {
      out: (text) => said.push(text),
      untilStopped: () => stopped,
      pause: between,
    })
    expect(exit).toBe(0)
    expect(said.map((line) => JSON.parse(line).transactionNo)).toEqual(['AP-TAIL'])
  })
})

describe('acopay doctor', () => {
  const doctor = async (...flags: string[]) => {
    const { exit, out } = await acopay(['doctor', '--json', ...flags])
    const { ok, checks } = JSON.parse(out) as {
      ok: boolean
      checks: { name: string; state: string; says: { en: string } }[]
    }
    const bad = checks.filter(({ state }) => state === 'wrong')
    return {
      exit,
      ok,
      bad: bad.map(({ name }) => name.split(' ')[0]),
      says: bad.map(({ says }) => says.en).join(),
      checks,
    }
  }
  const realNow = { nowMs: () => Date.now() }

  it('finds nothing where all is well, and says so in both languages', async () => {
    const { exit, out } = await acopay(['doctor'], realNow)
    expect([exit, out]).toEqual([0, expect.stringContaining('没有发现问题 nothing is wrong')])
    for (const name of [
      'baseUrl',
      'mchPrivateKey 商户私钥',
      '连接 connection',
      '时钟 clock',
      '签名往返 signed round trip',
    ]) {
      expect(out).toContain(`✓ ${name}`)
    }
    expect(out).not.toContain('\u001b')
    expect(out).not.toContain(gateway.demo.mchPrivateKey.slice(60, 90))
    expect((await acopay(['doctor'], { ...realNow, isColoured: true })).out).toContain('\u001b[32m✓')
  })

  it('tells a clock that is wrong', async () => {
    const { out } = await acopay(['doctor'], { nowMs: () => Date.now() + 90_000 })
    expect(out).toMatch(/! 时钟 clock {2}本机比网关快 (89|90|91) 秒[\s\S]*NTP/)
  })

  it('tells what is missing, and calls nothing then', async () => {
    const { checks, ...found } = await doctor('--config', emptyFile())
    expect(found).toMatchObject({
      exit: 2,
      ok: false,
      bad: ['baseUrl', 'mchNo', 'appNo', 'mchPrivateKey', 'platformPublicKey'],
    })
    expect(checks.some(({ name }) => name.includes('connection'))).toBe(false)
  })

  const emptyFile = (): string => {
    writeFileSync(path.join(dir, 'empty.json'), '{}')
    return 'empty.json'
  }

  it('tells a key that is none, one that is another, and a pair that is none', async () => {
    const other = await newKeyPair()
    settings({ mchPrivateKey: 'secretsecret' })
    expect(await doctor()).toMatchObject({ exit: 2, bad: ['mchPrivateKey'] })
    settings({ mchPrivateKey: other.privateKey })
    expect(await doctor()).toMatchObject({ exit: 3, bad: ['签名往返'], says: expect.stringContaining('SIGN_ERROR') })
    settings({ mchPrivateKey: other.privateKey, platformPublicKey: other.publicKey })
    expect(await doctor()).toMatchObject({ exit: 2, bad: ['platformPublicKey'], says: 'this is your own public key' })
    settings({})
    expect(await doctor('--public-key', other.publicKey)).toMatchObject({ exit: 2, bad: ['密钥对'] })
    settings({ platformPublicKey: other.publicKey })
    expect(await doctor()).toMatchObject({
      exit: 4,
      bad: ['签名往返'],
      says: expect.stringContaining('does not verify'),
    })
    settings({ mchNo: 'MCH404' })
    expect(await doctor()).toMatchObject({ exit: 3, says: expect.stringContaining('MCH_NOT_EXIST') })
  })

  it('tells a private key that others may read', async () => {
    chmodSync(path.join(dir, 'settings.json'), 0o644)
    const { out } = await acopay(['doctor'], realNow)
    expect(out).toContain('chmod 600')
  })

  it('tells a gateway that cannot be reached, and one that is something else', async () => {
    const gone = await serverOf(200)
    await new Promise((resolve) => servers.pop()?.close(resolve))
    const refused = await doctor('--base-url', gone.url)
    expect(refused).toMatchObject({ exit: 5, says: expect.stringContaining('ECONNREFUSED') })
    const { url } = await serverOf(404)
    expect(await doctor('--base-url', url)).toMatchObject({ exit: 5, says: expect.stringContaining('HTTP 404') })
    expect(await doctor('--base-url', 'nowhere')).toMatchObject({ exit: 2, bad: ['baseUrl'] })
  })

  it('tells a notify_url that believes everyone, that nobody serves, and that is none', async () => {
    const believing = await serverOf(200, '{"status":"SUCCESS"}')
    expect(await doctor('--notify-url', believing.url)).toMatchObject({ exit: 4, bad: ['通知地址'] })
    const careful = await serverOf(401, '{"status":"FAIL"}')
    expect(await doctor('--notify-url', careful.url)).toMatchObject({ exit: 0 })
    expect(await doctor('--notify-url', 'http://127.0.0.1:1/')).toMatchObject({ exit: 5 })
    expect(await doctor('--notify-url', 'https://shop.example.com/?a=1')).toMatchObject({ exit: 2 })
  })
})
