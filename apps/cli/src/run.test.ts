import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { newKeyPair } from '@acopay/sdk'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testIo } from '../../../test/support/cli.ts'
import { FROM_SOURCE } from '../../../test/support/from-source.ts'
import { newTradeNo, openAttempt, pay, type TestGateway, testGateway } from '../../../test/support/gateway.ts'
import { run } from './run.ts'

let test: TestGateway
let dir: string
let demoFile: string
beforeAll(async () => {
  test = await testGateway()
})
afterAll(() => test.stop())
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-cli-'))
  demoFile = path.join(dir, 'settings.json')
  writeFileSync(demoFile, JSON.stringify(test.demo))
})
afterEach(() => rmSync(dir, { recursive: true }))

type Ran = { exit: number; out: string; err: string }

async function acopay(
  line: string | string[],
  more: { env?: Record<string, string>; input?: string } = {},
): Promise<Ran> {
  const env = { ACOPAY_CONFIG: demoFile, ...more.env }
  const io = testIo({ env, cwd: dir, readInput: () => more.input ?? '' })
  const exit = await run(typeof line === 'string' ? line.split(' ') : line, io)
  return { exit, out: io.printed.out.join(''), err: io.printed.err.join('') }
}

const json = async (line: string, more = {}) => {
  const { exit, out, err } = await acopay(`${line} --json`, more)
  expect(err).toBe('')
  return { exit, ...JSON.parse(out) }
}

const place = () => json('order place --amount 12.50 --description 测试')

describe('acopay order', () => {
  it('places, queries and closes, for people and for machines', async () => {
    const placed = await acopay(['order', 'place', '--amount', '12.50', '--description', '测试订单'])
    expect(placed).toMatchObject({ exit: 0, err: '' })
    const transactionNo = /AP\d{36}/.exec(placed.out)?.[0]
    expect(placed.out).toContain(`order close --transaction-no ${transactionNo}`)
    expect((await acopay(`order query --transaction-no ${transactionNo}`)).out).toMatch(/^未支付 NOTPAY\n.*12\.50 CNY/s)
    expect(await json(`order close --transaction-no ${transactionNo}`)).toMatchObject({ exit: 0, outcome: 'closed' })
    expect((await acopay(`order close --transaction-no ${transactionNo}`)).out).toMatch(/^关单成功 closed/)
  })

  it('shows what proves a close', async () => {
    const { transactionNo } = await place()
    await openAttempt(test.demo, transactionNo)
    await acopay(`order close --transaction-no ${transactionNo}`)
    const { exit, out } = await acopay(`order evidence --transaction-no ${transactionNo}`)
    expect([exit, out.split('\n')[0]]).toEqual([0, '商户关单 closed'])
    expect(out).toMatch(/query: open[\s\S]*close: accepted[\s\S]*query: closed/)
  })

  it('refunds a paid order and says where the refund stands', async () => {
    const { transactionNo } = await place()
    const line = `refund --transaction-no ${transactionNo} --amount 2.50 --reason 退货`
    expect(await acopay(line)).toMatchObject({ exit: 3, err: expect.stringContaining('ORDER_NOT_PAID') })
    await pay(test.demo, transactionNo, (await openAttempt(test.demo, transactionNo)) ?? '')
    const refunded = await acopay(line)
    expect([refunded.exit, refunded.out]).toEqual([0, expect.stringMatching(/^退款成功 SUCCESS\n[\s\S]*2\.50 CNY/)])
    const [number] = /[0-9a-f]{37}/.exec(refunded.err) ?? []
    const found = await acopay(`refund query --mch-refund-no ${number}`)
    expect([found.exit, found.out]).toEqual([0, expect.stringContaining('success_time')])
    expect(await acopay('refund query')).toMatchObject({ exit: 2, err: expect.stringContaining('--refund-no') })
    expect(await acopay('refund --amount 1.00')).toMatchObject({ exit: 2 })
  })

  it('exits with 1 when the business says no', async () => {
    const { transactionNo } = await place()
    await pay(test.demo, transactionNo, (await openAttempt(test.demo, transactionNo)) ?? '')
    const closed = await acopay(`order close --transaction-no ${transactionNo}`)
    expect([closed.exit, closed.out.split('\n')[0]]).toEqual([1, '订单已支付 paid; the payer was faster'])
  })

  it.each([
    ['order place --amount 12.5 --description x', 'amountTotal'],
    ['order place --description x', '--amount'],
    ['order place --amount 1.00 --description x --expire soon', '--expire'],
    ['order query', '--transaction-no'],
    ['order pay', 'order pay'],
    ['order close --transaction-no AP1 --force', '--force'],
    ['order close extra --transaction-no AP1', 'extra'],
    ['nothing', 'nothing'],
    ['constructor', 'constructor'],
    ['order query --transaction-no A --mch-private-key-file missing.key', 'missing.key'],
    ['keygen --out settings.json/keys', 'settings.json'],
    ['sign --file missing.json', 'missing.json'],
    ['order query --transaction-no A --config missing.json', 'missing.json'],
  ])('%s: exits with 2 and names %s', async (line, names) => {
    const { exit, out, err } = await acopay(line)
    expect([exit, out]).toEqual([2, ''])
    expect(err).toContain(names)
  })

  it('exits with 3 when the gateway refuses', async () => {
    const { exit, err } = await acopay('order close --transaction-no AP0')
    expect([exit, err]).toEqual([3, expect.stringContaining('1007 ORDER_NOT_EXIST: 此订单不存在!')])
    expect(await json('order close --transaction-no AP0')).toMatchObject({ exit: 3, error: { status: 1007 } })
  })

  it('exits with 4 when the answer is not proven', async () => {
    const { publicKey } = await newKeyPair()
    const { exit } = await acopay(`order query --transaction-no ${(await place()).transactionNo}`, {
      env: { ACOPAY_PLATFORM_PUBLIC_KEY: publicKey },
    })
    expect(exit).toBe(4)
  })

  it('exits with 5 when there is no answer', async () => {
    const { exit, err } = await acopay('order query --transaction-no AP0 --base-url http://127.0.0.1:1')
    expect([exit, err]).toEqual([5, expect.stringContaining('http://127.0.0.1:1')])
  })

  it('tells the number it made for an order that may have been placed, and for no other', async () => {
    const line = 'order place --amount 1.00 --description x'
    const lost = await acopay(`${line} --base-url http://127.0.0.1:1`)
    expect([lost.exit, lost.err]).toEqual([5, expect.stringMatching(/未知[\s\S]*\n.*--mch-trade-no [0-9a-f]{37}\n/)])
    const { error } = await json(`${line} --base-url http://127.0.0.1:1`)
    expect(error).toMatchObject({ name: 'ConnectionError', mchTradeNo: expect.stringMatching(/^[0-9a-f]{37}$/) })
    const refused = await json(`${line} --app-no APP0`)
    expect([refused.exit, Object.keys(refused.error)]).toEqual([3, expect.not.arrayContaining(['mchTradeNo'])])
  })

  it('exits with 70, and not as if an order were refused, when the program itself is wrong', async () => {
    const out: string[] = []
    const fail = (text: string) => {
      if (out.push(text) === 1) throw new Error('out of paper')
    }
    expect(await run(['keygen', '--json'], testIo({ cwd: dir, out: fail }))).toBe(70)
    expect(JSON.parse(out[1] ?? '')).toEqual({ error: { name: 'Error', message: 'out of paper' } })
  })
})

describe('settings', () => {
  it('come from flags before variables before the file', async () => {
    const wrong = { ACOPAY_BASE_URL: 'http://127.0.0.1:1' }
    expect((await acopay('order query --transaction-no AP0', { env: wrong })).exit).toBe(5)
    const right = `order query --transaction-no AP0 --base-url ${test.demo.baseUrl}`
    expect((await acopay(right, { env: wrong })).exit).toBe(3)
  })

  it('take the private key from a file of its own: the flag, then the variables, then the settings file', async () => {
    writeFileSync(path.join(dir, 'merchant.key'), `${test.demo.mchPrivateKey}\n`)
    writeFileSync(path.join(dir, 'wrong.key'), (await newKeyPair()).privateKey)
    const status = async (flags: string, env: Record<string, string>): Promise<number> =>
      (await json(`order query --transaction-no AP0${flags}`, { env })).error.status
    const [right, wrong] = ['merchant.key', 'wrong.key']
    expect(await status('', { ACOPAY_MCH_PRIVATE_KEY_FILE: wrong })).toBe(1002)
    expect(
      await status('', { ACOPAY_MCH_PRIVATE_KEY_FILE: wrong, ACOPAY_MCH_PRIVATE_KEY: test.demo.mchPrivateKey }),
    ).toBe(1007)
    expect(await status(` --mch-private-key-file ${right}`, { ACOPAY_MCH_PRIVATE_KEY_FILE: wrong })).toBe(1007)
  })

  it('that are missing are named, with the ways to give them', async () => {
    writeFileSync(demoFile, '{}')
    const { exit, err } = await acopay('order query --transaction-no AP0')
    expect([exit, err]).toEqual([2, expect.stringContaining('--base-url / ACOPAY_BASE_URL / --config FILE')])
  })

  it('never show a private key, not even a broken one', async () => {
    for (const line of ['order query --transaction-no AP0', 'sign']) {
      const { exit, err } = await acopay(line, { env: { ACOPAY_MCH_PRIVATE_KEY: 'secretsecret' }, input: '{}' })
      expect([exit, err]).toEqual([2, expect.stringContaining('not a private key')])
      expect(err).not.toContain('secretsecret')
    }
    const { mchPrivateKey } = test.demo
    const pasted = await acopay(['order', 'query', '--transaction-no', 'AP0', '--platform-public-key', mchPrivateKey])
    expect([pasted.exit, pasted.err]).toEqual([2, expect.stringContaining('this is a private key')])
    expect(pasted.err).not.toContain(mchPrivateKey.slice(60, 90))
  })
})

describe('acopay keygen', () => {
  it('writes a pair that signs and verifies, the private key for its owner only, and overwrites nothing', async () => {
    expect((await acopay('keygen --out keys')).exit).toBe(0)
    const privateFile = path.join(dir, 'keys/private.key')
    expect(statSync(privateFile).mode & 0o777).toBe(0o600)
    const again = await acopay('keygen --out keys')
    expect([again.exit, again.err]).toEqual([2, expect.stringContaining('不会覆盖')])

    const env = { ACOPAY_MCH_PRIVATE_KEY: readFileSync(privateFile, 'utf8') }
    const signed = await json('sign --nonce n1', { env, input: '{"transaction_no":"AP1"}' })
    expect(signed.canonicalText).toContain('"nonce":"n1"')
    const publicKey = readFileSync(path.join(dir, 'keys/public.key'), 'utf8').trim()
    const verify = ['verify', '--nonce', 'n1', '--public-key', publicKey, '--sign', signed.headers['x-acopay-sign']]
    expect(await acopay(verify, { input: '{"transaction_no":"AP1"}' })).toMatchObject({ exit: 0 })
    const other = await acopay(verify, { input: '{"transaction_no":"AP2"}' })
    expect([other.exit, other.out]).toEqual([4, expect.stringContaining('另一段文本')])
  })

  it('leaves no half of a pair behind where only one of the files exists', async () => {
    writeFileSync(path.join(dir, 'public.key'), 'needed elsewhere')
    expect((await acopay('keygen --out .')).exit).toBe(2)
    expect(existsSync(path.join(dir, 'private.key'))).toBe(false)
  })

  it('without a folder prints the pair', async () => {
    expect(Object.keys(await json('keygen'))).toEqual(['exit', 'privateKey', 'publicKey'])
  })
})

describe('acopay verify', () => {
  const answerOf = async (body: object): Promise<string> =>
    (
      await fetch(`${test.demo.baseUrl}/pay/v1/transactions/trade`, { method: 'POST', body: JSON.stringify(body) })
    ).text()

  it("verifies the platform's answers with the platform's key, and shows where a text differs", async () => {
    const params = {
      app_no: test.demo.appNo,
      mch_trade_no: newTradeNo(),
      description: 'x',
      amount_total: '1.00',
      amount_currency: 'CNY',
      mch_no: test.demo.mchNo,
      nonce: 'n',
      sign_type: 'SHA256withRSA',
    }
    const answer = await answerOf({ ...params, sign: 'A'.repeat(344) })
    expect((await acopay('verify', { input: answer })).exit).toBe(2)

    const { AcoPay } = await import('@acopay/sdk')
    const signed = await new AcoPay(test.demo).signOrderParams({
      mchTradeNo: params.mch_trade_no,
      description: 'x',
      amountTotal: '1.00',
    })
    const good = await answerOf(signed)
    expect(await acopay('verify', { input: good })).toMatchObject({ exit: 0 })
    const bad = good.replace('SUCCESS', 'SUCCEED')
    writeFileSync(path.join(dir, 'theirs.txt'), (await json('verify', { input: good })).canonicalText)
    const { exit, out } = await acopay('verify --text theirs.txt', { input: bad })
    expect(exit).toBe(4)
    expect(out).toContain('第一处不同在第')

    const merchant = await acopay('verify', { input: JSON.stringify(signed) })
    expect([merchant.exit, merchant.err]).toEqual([2, expect.stringContaining('--public-key')])
  })

  it('names each field that differs from the text that the other side signed, and shows line ends', async () => {
    const { publicKey } = await newKeyPair()
    const verify = ['verify', '--public-key', publicKey, '--nonce', 'n', '--sign', 'x', '--text']
    const more = { input: '{"transaction_no":"AP1"}' }
    const theirs = `{"mch_no":"${test.demo.mchNo}","nonce":"n","sign_type":"SHA256withRSA","transaction_no":"AP1"}`
    const other = await acopay([...verify, theirs.replace('AP1', 'AP2').replace('"nonce":"n",', '')], more)
    expect(other.exit).toBe(4)
    expect(other.out).toContain('- nonce: 缺少，应为 missing, expected "n"')
    expect(other.out).toContain('- transaction_no: 应为 expected "AP1"，实际 actual "AP2"')
    const lineEnd = await acopay([...verify, `${theirs}\n`], more)
    expect(lineEnd.out).toContain('"AP1"}\\n')
  })

  it.each(['', '[]', '{', '{"a":1}'])('%j is refused with what to do', async (input) => {
    expect(await acopay('verify', { input })).toMatchObject({ exit: 2 })
  })
})

describe('the command as a process', () => {
  const main = path.resolve(import.meta.dirname, 'main.ts')

  it('reads .acopay/demo.json of a folder above, and exits as documented', async () => {
    const below = path.join(dir, 'some/where')
    for (const folder of [below, path.join(dir, '.acopay')]) mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(dir, '.acopay/demo.json'), JSON.stringify(test.demo))
    const query = [main, 'order', 'query', '--transaction-no', 'AP0', '--json']
    const ran = promisify(execFile)(process.execPath, [...FROM_SOURCE, ...query], { cwd: below, env: {} })
    await expect(ran).rejects.toMatchObject({ code: 3, stdout: expect.stringContaining('"status": 1007') })
  })
})

describe('acopay sandbox time', () => {
  it('says what time it is, moves it on, and never back', async () => {
    const before = await json('sandbox time')
    expect(before).toMatchObject({ exit: 0, aheadSeconds: 0, time: expect.stringMatching(/\+08:00$/) })
    const after = await json('sandbox time +30s')
    expect([after.exit, after.aheadSeconds]).toEqual([0, 30])
    expect((await acopay('sandbox time')).out).toMatch(/沙箱时间 time in the sandbox .*\n快进 moved ahead +30 s/)
    const back = await acopay('sandbox time 2020-01-01T00:00')
    expect([back.exit, back.err]).toEqual([2, expect.stringContaining('only goes forward')])
    expect((await acopay('sandbox time +1d +1d')).exit).toBe(2)
    expect((await acopay('order query +1d')).exit).toBe(2)
    expect((await acopay('sandbox')).exit).toBe(2)
  })

  it('says what is wrong where no sandbox answers', async () => {
    const none = await acopay('sandbox time --base-url http://127.0.0.1:9')
    expect([none.exit, none.err]).toEqual([5, expect.stringContaining('没有得到应答')])
    const production = createServer((_request, response) => void response.writeHead(404).end('no such path'))
    await new Promise<void>((resolve) => production.listen(0, '127.0.0.1', resolve))
    const { port } = production.address() as AddressInfo
    const other = await acopay(`sandbox time +1d --base-url http://127.0.0.1:${port}`)
    production.close()
    expect([other.exit, other.err]).toEqual([2, expect.stringContaining('is no sandbox')])
  })
})
