/** The clients of examples/clients against a gateway: each language whose runtime is here, as a newcomer would run it. */
import './support/only-long.ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, openAttempt, pay, type TestGateway, testGateway } from './support/gateway.ts'
import { type ScriptedGateway, scriptedGateway, success, vectors } from './support/scripted-gateway.ts'
import { SIZE } from './support/size.ts'
import { type Heard, languages, type WireClient, wireClient } from './support/wire-clients.ts'

const { here, missing } = languages(SIZE.wireClients)

let gateway: TestGateway
let scripted: ScriptedGateway
let dir: string

const settingsFile = (name: string, settings: object): string => {
  const file = path.join(dir, name)
  writeFileSync(file, JSON.stringify(settings))
  return file
}

beforeAll(async () => {
  gateway = await testGateway()
  scripted = await scriptedGateway()
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-clients-'))
})

afterAll(async () => {
  await scripted?.stop()
  await gateway?.stop()
  if (dir !== undefined) rmSync(dir, { recursive: true })
})

for (const { name, packages } of missing) {
  it.skip(`the client in ${name} is not tested: its runtime is not here (on Debian: apt-get install ${packages})`, () => {})
}

/** The client prints `name value`, one a line. */
const printed = (stdout: string, name: string): string => new RegExp(`^${name} ([^\\n]*)`, 'm').exec(stdout)?.[1] ?? ''

const TEXT = `<a href="x/y">咖啡 & 茶+1%</a> 'ok' \\ 😀\u2028\u007f=`

describe.each(here)('the client in $name', (language) => {
  let client: WireClient
  let real: string
  let shop: { url: string; bodies: string[]; answers: Heard[]; stop: () => Promise<void> }

  beforeAll(async () => {
    real = settingsFile(`${language.name}.json`, gateway.demo)
    client = await wireClient(language, mkdtempSync(path.join(dir, `${language.name}-`)), real)
    shop = await forwarding(client)
  })

  afterAll(async () => {
    await shop?.stop()
    await client?.stop()
  })

  it('signs every test vector as the official SDK does, and verifies each', async () => {
    const ran = await client.run(null, 'vectors')
    const rows = [...vectors.requests, ...vectors.responses].map(({ name }) => `ok ${name}`)
    expect(ran).toEqual({ code: 0, stdout: `${rows.join('\n')}\n`, stderr: '' })
  })

  it('fails for a vector whose signature is of another text', async () => {
    const [first, ...others] = vectors.responses
    const changed = { ...vectors, responses: [{ ...first, body: { ...first?.body, message: 'success' } }, ...others] }
    const ran = await client.run(null, 'vectors', settingsFile('changed.json', changed))
    expect(ran).toMatchObject({ code: 1, stdout: expect.stringContaining(`FAILED ${first?.name}\n`) })
  })

  it('places an order, queries it, hears that it is paid, and is told so by a close', async () => {
    const placed = await client.run(
      real,
      'place',
      '--amount',
      '12.50',
      '--description',
      TEXT,
      '--extra',
      TEXT,
      '--notify-url',
      shop.url,
    )
    expect(placed).toMatchObject({ code: 0, stderr: '' })
    const transactionNo = printed(placed.stdout, 'transaction_no')
    const byOwn = await client.run(real, 'query', '--mch-trade-no', printed(placed.stdout, 'mch_trade_no'))
    expect(printed(byOwn.stdout, 'transaction_no')).toBe(transactionNo)
    expect(printed(byOwn.stdout, 'code')).toBe('NOTPAY')
    expect(printed(byOwn.stdout, 'extra')).toBe(TEXT)

    await pay(gateway.demo, transactionNo, (await openAttempt(gateway.demo, transactionNo)) ?? '')
    await expect.poll(() => client.said()).toContain(`event payment ${transactionNo} SUCCESS`)
    const listed = async () =>
      call(gateway.demo, { method: 'GET', path: 'notifications', params: { transaction_no: transactionNo } })
    await expect.poll(async () => (await listed()).data.notifications).toContain('DELIVERED')

    const closed = await client.run(real, 'close', '--transaction-no', transactionNo)
    expect([printed(closed.stdout, 'code'), printed(closed.stdout, 'description')]).toEqual(['FAIL', '订单已支付'])
  })

  it('closes an order that is not paid', async () => {
    const placed = await client.run(real, 'place', '--amount', '0.01')
    const ran = await client.run(real, 'close', '--transaction-no', printed(placed.stdout, 'transaction_no'))
    expect([printed(ran.stdout, 'code'), printed(ran.stdout, 'description')]).toEqual(['SUCCESS', '关单成功'])
  })

  it('does the work of a repeated notification once, refuses a changed one, and answers both as the gateway reads it', async () => {
    const body = shop.bodies[0] ?? ''
    expect(shop.answers[0]).toEqual({ httpStatus: 200, answer: expect.stringMatching(/^{"status":"SUCCESS"/) })
    const before = client.said()
    expect(await client.hear(body)).toMatchObject({ httpStatus: 200, answer: expect.stringContaining('SUCCESS') })
    await expect.poll(() => client.said().slice(before.length)).toContain('again payment')
    expect(client.said().slice(before.length)).not.toContain('event')
    const forged = body.replace('"amount_total":"12.50"', '"amount_total":"0.01"')
    expect(await client.hear(forged)).toEqual({ httpStatus: 401, answer: expect.stringMatching(/^{"status":"FAIL"/) })
    expect(await client.hear('[]')).toMatchObject({ httpStatus: 400 })
  })

  it('says what the gateway refuses, in its words', async () => {
    const ran = await client.run(real, 'place', '--amount', '12.5')
    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('1001 PARAM_ERROR amount_total') })
  })

  describe('believes no answer', () => {
    const settings = (): string => {
      const { merchantPrivateKey, platformPublicKey } = vectors.keys
      const keys = { mchPrivateKey: merchantPrivateKey, platformPublicKey }
      return settingsFile('scripted.json', { baseUrl: scripted.url, mchNo: 'MCH1000000', appNo: 'APP1', ...keys })
    }
    const NO = 'AP202112151150252267829842920145605378'
    const CLOSED = { mch_trade_no: 'm', transaction_no: NO, code: 'SUCCESS', description: '关单成功' }

    it.each<[string, Parameters<ScriptedGateway['says']>[0], string]>([
      [
        'that is not signed',
        () => `{"status":200,"message":"SUCCESS","fieldErrors":null,"data":${JSON.stringify(CLOSED)}}`,
        'not signed',
      ],
      [
        'that was changed on its way',
        (...seen) => success({ ...CLOSED, code: 'FAIL' })(...seen)?.replace('FAIL', 'SUCCESS'),
        'does not verify',
      ],
      ['about another order', success({ ...CLOSED, transaction_no: `${NO.slice(0, -1)}9` }), 'another order'],
    ])('%s', async (_what, answer, says) => {
      scripted.says(answer)
      const ran = await client.run(settings(), 'close', '--transaction-no', NO)
      expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(says) })
    })

    it('but one that is signed: then it says what the platform says', async () => {
      scripted.says(success(CLOSED))
      const ran = await client.run(settings(), 'close', '--transaction-no', NO)
      expect([ran.code, printed(ran.stdout, 'description')]).toEqual([0, '关单成功'])
    })

    it('of a gateway that failed: it asks again with the same numbers and a new nonce', async () => {
      scripted.says(() => '{"status":1500,"message":"SYSTEM_ERROR","fieldErrors":"系统繁忙","data":null}')
      const ran = await client.run(settings(), 'place', '--amount', '1.00')
      expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('1500 SYSTEM_ERROR') })
      expect(scripted.seen).toHaveLength(3)
      expect(new Set(scripted.seen.map(({ body }) => body?.mch_trade_no)).size).toBe(1)
      expect(new Set(scripted.seen.map(({ headers }) => headers['x-acopay-nonce'])).size).toBe(3)
    })
  })
})

/** The address that the gateway notifies: it passes bodies on to the client, and the client's answers back. */
async function forwarding({ hear }: WireClient) {
  const bodies: string[] = []
  const answers: Heard[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    const heard = await hear(body)
    bodies.push(body)
    answers.push(heard)
    response.writeHead(heard.httpStatus, { 'content-type': 'application/json; charset=utf-8' }).end(heard.answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/told`,
    bodies,
    answers,
    stop: (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
