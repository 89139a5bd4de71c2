import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { newKeyPair, signedTestNotification } from '@acopay/sdk'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testIo } from '../../../test/support/cli.ts'
import { FROM_SOURCE } from '../../../test/support/from-source.ts'
import { run } from './run.ts'

const mchNo = 'MCH1000000'

let keys: { privateKey: string; publicKey: string }
beforeAll(async () => {
  keys = await newKeyPair()
})

let out: string[]
let err: string[]
let stop: () => void
let ended: Promise<number>
beforeEach(() => {
  out = []
  err = []
})
afterEach(() => stop())

/** Runs `acopay listen` until `stop()`. Returns the notify_url that it prints. */
async function listen(...flags: string[]): Promise<string> {
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  const env = { ACOPAY_MCH_NO: mchNo, ACOPAY_PLATFORM_PUBLIC_KEY: keys.publicKey }
  const io = testIo({ env, untilStopped: () => stopped, out: (text) => out.push(text), err: (text) => err.push(text) })
  ended = run(['listen', '--port', '0', ...flags], io)
  await expect.poll(() => [...out, ...err], { interval: 10 }).toHaveLength(1)
  return /http:\/\/[^\s"]+/.exec(out[0] ?? '')?.[0] ?? ''
}

const post = async (url: string, body: string) => {
  const response = await fetch(url, { method: 'POST', body })
  return `${response.status} ${await response.text()}`
}

const payment = (by = { mchNo, ...keys }) =>
  signedTestNotification({ kind: 'payment', transactionNo: 'AP1', mchTradeNo: 'o1' }, by)

describe('acopay listen', () => {
  it('prints what verifies in a line, says SUCCESS, and ends with 0', async () => {
    const url = await listen()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
    expect(await post(url, await payment())).toBe('200 {"status":"SUCCESS","message":"成功"}')
    await post(`${url}any/path`, await signedTestNotification({ kind: 'refund', refundNo: 'AR1' }, { mchNo, ...keys }))
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d.000Z'
    expect(out.slice(1)).toEqual([
      expect.stringMatching(`^${time}  支付 payment  支付成功 SUCCESS  AP1  o1  12.50 CNY$`),
      expect.stringMatching(`^${time}  退款 refund  退款成功 SUCCESS  AR1  \\S+  2.50 CNY$`),
    ])
    stop()
    expect(await ended).toBe(0)
    await expect(fetch(url)).rejects.toThrow()
    expect(err).toEqual([])
  })

  it('says loudly, in two languages, why something does not verify, and answers FAIL', async () => {
    const url = await listen()
    const { privateKey } = await newKeyPair()
    expect(await post(url, (await payment()).replace('12.50', '92.50'))).toMatch(/^401 .*FAIL/)
    expect(await post(url, await payment({ mchNo, privateKey, publicKey: '' }))).toMatch(/^401 .*FAIL/)
    expect(await post(url, await payment({ ...keys, mchNo: 'MCH2' }))).toMatch(/^401 .*FAIL/)
    expect(await post(url, 'transaction_no=AP1')).toMatch(/^400 .*FAIL/)
    expect(out).toHaveLength(1)
    for (const text of err) expect(text).toMatch(/通知未通过验证.*NOT VERIFIED/)
    expect(err.map((text) => text.split('\n').slice(2, -1).join('\n'))).toEqual([
      expect.stringMatching(/does not verify[\s\S]*另一段文本.*another text/),
      expect.stringMatching(/does not verify[\s\S]*公钥.*public key/),
      expect.stringMatching(/another merchant/),
      expect.stringMatching(/not JSON/),
    ])
  })

  it('prints a JSON document a line for a program', async () => {
    const url = await listen('--json')
    await post(url, await payment())
    await post(url, '{}')
    expect(err).toEqual([])
    expect(out.map((line) => JSON.parse(line))).toEqual([
      { notifyUrl: url },
      expect.objectContaining({ kind: 'payment', transactionNo: 'AP1', answered: 'SUCCESS' }),
      { error: { name: 'SignatureError', why: [expect.stringContaining('not signed')] } },
    ])
  })

  it('answers FAIL with --fail, so that the gateway tells it again', async () => {
    const url = await listen('--fail')
    expect(await post(url, await payment())).toBe('500 {"status":"FAIL","message":"失败"}')
    expect(out[1]).toContain('AP1')
  })

  it('does not take a browser for a notification', async () => {
    const url = await listen()
    expect((await fetch(url)).status).toBe(405)
    expect(err).toEqual([])
  })

  it('exits with 2 for a port that is taken, a port that is none, and a key that is none', async () => {
    const { port } = new URL(await listen())
    const stopFirst = stop
    for (const [flags, says] of [
      [['--port', port], `taken, choose another --port): 127.0.0.1:${port}`],
      [['--port', '70000'], '--port'],
      [['--host', '203.0.113.1'], 'EADDRNOTAVAIL'],
      [['--platform-public-key', 'none'], 'platformPublicKey'],
    ] as const) {
      err.length = 0
      out.length = 0
      await listen(...flags)
      expect([await ended, err[0]]).toEqual([2, expect.stringContaining(says)])
    }
    stopFirst()
  })
})

describe('acopay listen --forward-to', () => {
  type Heard = { method: string | undefined; url: string | undefined; rawHeaders: string[]; body: string }

  /** The merchant's server, which answers everything alike. */
  async function shop(answer: string, status = 200): Promise<{ url: string; heard: Heard[]; end: () => void }> {
    const heard: Heard[] = []
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part)
      const { method, url, rawHeaders } = request
      heard.push({ method, url, rawHeaders, body: Buffer.concat(parts).toString('utf8') })
      response.writeHead(status, { 'content-type': 'text/x-shop' }).end(answer)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const end = (): void => {
      server.close()
      server.closeAllConnections()
    }
    return { url: `http://127.0.0.1:${port}/acopay/notify?from=cli`, heard, end }
  }

  it('passes on body and headers byte for byte, and the answer back', async () => {
    const { url: target, heard, end } = await shop('{"status":"SUCCESS","message":"ok"}')
    const url = await listen('--forward-to', target)
    const body = await payment()
    const headers = { 'X-Some-Header': 'Aa  b', 'content-type': 'application/json; charset=UTF-8' }
    const answer = await fetch(url, { method: 'POST', body, headers })
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      200,
      'text/x-shop',
      '{"status":"SUCCESS","message":"ok"}',
    ])
    end()
    expect(heard).toHaveLength(1)
    expect(heard[0]).toMatchObject({ method: 'POST', url: '/acopay/notify?from=cli', body })
    const pairs = heard[0]?.rawHeaders.join('\n')
    expect(pairs).toContain('Aa  b')
    expect(pairs).toContain('application/json; charset=UTF-8')
    expect(pairs?.match(/content-length/gi)).toHaveLength(1)
    expect(out.slice(1)).toEqual([
      expect.stringContaining('AP1  o1  12.50 CNY'),
      expect.stringMatching(/^ {2}→ HTTP 200 \{"status":"SUCCESS","message":"ok"\} {2}\d+ ms$/),
    ])
  })

  it('passes on no notification that does not verify', async () => {
    const { url: target, heard, end } = await shop('{}')
    const url = await listen('--forward-to', target)
    expect(await post(url, (await payment()).replace('12.50', '92.50'))).toMatch(/^401 .*FAIL/)
    expect(await post(url, 'x'.repeat(70_000))).toMatch(/^413 .*FAIL/)
    end()
    expect(heard).toEqual([])
  })

  it('says FAIL to the gateway where the server does, where no server is, and with --fail', async () => {
    const broken = await shop('oops', 500)
    expect(await post(await listen('--forward-to', broken.url), await payment())).toBe('500 oops')
    broken.end()
    stop()
    out.length = 0
    const json = await listen('--json', '--forward-to', broken.url)
    expect(await post(json, await payment())).toMatch(/^502 .*FAIL/)
    expect(JSON.parse(out.at(-1) ?? '')).toEqual({ forwarded: { failure: 'ECONNREFUSED', ms: expect.any(Number) } })
    stop()
    out.length = 0
    const fine = await shop('{"status":"SUCCESS"}')
    expect(await post(await listen('--fail', '--forward-to', fine.url), await payment())).toMatch(/^500 .*FAIL/)
    fine.end()
    expect(fine.heard).toHaveLength(1)
  })

  it('exits with 2 for an address that is none', async () => {
    for (const target of ['nowhere', 'ftp://127.0.0.1/', 'http://user@127.0.0.1/']) {
      err.length = 0
      out.length = 0
      await listen('--forward-to', target)
      expect([await ended, err[0]]).toEqual([2, expect.stringContaining('--forward-to')])
    }
  })
})

describe('the command as a process', () => {
  const main = path.resolve(import.meta.dirname, 'main.ts')
  let child: ChildProcess | undefined
  beforeEach(() => {
    stop = () => child?.kill('SIGKILL')
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 0 on %s', async (signal) => {
    const env = { ACOPAY_MCH_NO: mchNo, ACOPAY_PLATFORM_PUBLIC_KEY: keys.publicKey }
    const started = spawn(process.execPath, [...FROM_SOURCE, main, 'listen', '--port', '0'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child = started
    await new Promise((resolve) => started.stdout.once('data', resolve))
    started.kill(signal)
    expect(await new Promise((resolve) => started.once('exit', resolve))).toBe(0)
  })
})
