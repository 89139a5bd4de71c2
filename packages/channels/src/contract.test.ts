/**
 * The suite that every channel must pass. A new channel adds itself to `UPSTREAMS`, with a simulator of its upstream.
 */
import { createPublicKey, randomUUID } from 'node:crypto'
import { fen } from '@acopay/core'
import {
  type Control,
  type Fault,
  makeAlipayStandIn,
  makeWechatStandIn,
  memoryBooks,
  type StandIn,
  type StandInWorld,
  seededFaults,
  type WechatStandInSettings,
} from '@acopay/upstreams'
import { beforeEach, describe, expect, it } from 'vitest'
import { platformCertificate } from '../../../test/support/certificate.ts'
import { derKeys } from '../../../test/support/keys.ts'
import { alipayAuthority, privateDer } from '../../../test/support/oracle/alipay-certificates.ts'
import { type AttemptRef, type Channel, orUnknown, type RawWebhook, type UpstreamPayment } from './contract.ts'
import { type ChannelDoor, type ChannelName, type ChannelSettings, INSTALLED, isChannelName } from './installed.ts'

type Upstream = {
  channel: Channel
  /** The payer pays; null when the upstream refuses. */
  pay: (ref: AttemptRef) => Promise<UpstreamPayment | null>
  /** How often the upstream refunded the attempt. */
  refundsOf: (ref: AttemptRef) => Promise<number>
  /** Opens the code, so that there is a trade. */
  scan: (ref: AttemptRef) => Promise<void>
  control: Control
  /** The notifications that the upstream has sent, unchanged. */
  told: RawWebhook[]
  /** From the next call on the upstream fails in this way; null ends it. */
  fail: (fault: string | null) => void
  /** From the next call on the upstream has this fault, and no other. */
  play: (fault: Fault['kind']) => void
  passTo: (now: Date) => void
}

const NOW = new Date('2026-01-31T00:00:00Z')
/** When both upstreams have made the bill of the day of `NOW`. */
const NEXT_MORNING = new Date('2026-02-01T03:00:00Z')
const EXPIRE = new Date('2026-01-31T02:00:00Z')
const AMOUNT = fen(1250n)
const ASK = {
  method: 'native',
  amountFen: AMOUNT,
  description: '测试',
  expireAt: EXPIRE,
  notifyUrl: 'http://127.0.0.1/notify',
  returnUrl: null,
  payerIp: null,
  openId: null,
}

function channelSuite(make: () => Upstream): void {
  const faults = Object.keys(FAULTS)
  let upstream: Upstream
  let channel: Channel
  let ref: AttemptRef
  let attempts = 0
  const patient = () => new AbortController().signal
  /** Opens an attempt and scans its code, since some upstreams do not know a code that no payer has scanned. */
  const open = async (of = ref, signal = patient()) => {
    const answer = await channel.open({ ...of, ...ASK }, signal)
    await upstream.scan(of)
    return answer
  }
  const query = (of = ref) => channel.query(of, patient())
  const close = (of = ref) => channel.close(of, patient())
  const refund = (paymentNo: string, refundNo = 'AR1', amountFen: bigint = AMOUNT) =>
    channel.refund(
      { ...ref, refundNo, paymentNo, amountFen, totalFen: AMOUNT, reason: '测试', notifyUrl: 'http://127.0.0.1:1/' },
      patient(),
    )
  async function pay(): Promise<UpstreamPayment> {
    const payment = await upstream.pay(ref)
    if (payment === null) throw new Error('the upstream refused the payer')
    return payment
  }
  beforeEach(() => {
    upstream = make()
    channel = upstream.channel
    attempts += 1
    ref = { attemptNo: `AT${String(attempts).padStart(30, '0')}` }
  })

  it('names its ways to pay and how long a lost create may still land', () => {
    expect(channel.methods.length).toBeGreaterThan(0)
    expect(channel.createInFlightMs).toBeGreaterThanOrEqual(0)
  })

  describe('an attempt', () => {
    it('that was opened has something to show the payer, and is open', async () => {
      expect(await open()).toMatchObject({ kind: 'opened', payUrl: expect.stringMatching(/.+/) })
      expect(await query()).toMatchObject({ kind: 'open' })
    })

    it('of an order with the longest description, in whatever characters, is opened', async () => {
      const description = '一/杯=咖&啡𠮷'.repeat(16)
      expect([...description]).toHaveLength(128)
      const answer = await channel.open({ ...ref, ...ASK, description }, patient())
      expect(answer).toMatchObject({ kind: 'opened' })
    })

    it('opened twice is one attempt: it is paid once', async () => {
      await open()
      await open()
      const payment = await pay()
      expect((await pay()).paymentNo).toBe(payment.paymentNo)
    })

    it('that was never opened is absent, which is not closed', async () => {
      expect(await query()).toMatchObject({ kind: 'absent' })
    })

    it('takes no money from its expiry on, and says that it is closed', async () => {
      await open()
      upstream.passTo(EXPIRE)
      expect(await upstream.pay(ref)).toBeNull()
      expect(await query()).toMatchObject({ kind: 'closed' })
    })

    it('that was paid says by whom, when and exactly how much, also after its expiry', async () => {
      await open()
      const payment = await pay()
      upstream.passTo(EXPIRE)
      expect(await query()).toMatchObject({ kind: 'paid', payment })
      expect(payment).toMatchObject({ amountFen: AMOUNT, currency: 'CNY', paymentNo: expect.stringMatching(/.+/) })
      expect(payment.paidAt.getTime()).not.toBeNaN()
    })
  })

  describe('closing', () => {
    it('shuts an open attempt: a query afterwards proves it, and no payer gets through', async () => {
      await open()
      expect(await close()).toMatchObject({ kind: 'accepted' })
      expect(await query()).toMatchObject({ kind: 'closed' })
      expect(await upstream.pay(ref)).toBeNull()
      expect(await query()).toMatchObject({ kind: 'closed' })
    })

    it('twice, or twenty times at once, says the same again', async () => {
      await open()
      for (const answer of await Promise.all(Array.from({ length: 20 }, () => close()))) {
        expect(answer).toMatchObject({ kind: 'accepted' })
      }
      expect(await close()).toMatchObject({ kind: 'accepted' })
    })

    it('a paid attempt says that it is paid and leaves the money where it is', async () => {
      await open()
      const payment = await pay()
      expect(await close()).toMatchObject({ kind: 'paid' })
      expect(await query()).toMatchObject({ kind: 'paid', payment })
      expect(await upstream.refundsOf(ref)).toBe(0)
    })

    it('one the upstream has never heard of proves nothing: it stays absent, and a late create still opens it', async () => {
      // Some upstreams accept the close of any number; others answer absent.
      expect(['absent', 'accepted']).toContain((await close()).kind)
      expect(await query()).toMatchObject({ kind: 'absent' })
      await open()
      expect(['open', 'closed']).toContain((await query()).kind)
    })
  })

  describe('refunding', () => {
    it('sends the money back once, however often the same number is said', async () => {
      await open()
      const { paymentNo } = await pay()
      for (let times = 0; times < 3; times += 1)
        expect(['done', 'processing']).toContain((await refund(paymentNo)).kind)
      expect(await upstream.refundsOf(ref)).toBe(1)
    })

    it('the whole amount a second time under another number is refused', async () => {
      await open()
      const { paymentNo } = await pay()
      await refund(paymentNo)
      expect(await refund(paymentNo, 'AR2')).toMatchObject({ kind: 'refused' })
      expect(await upstream.refundsOf(ref)).toBe(1)
    })

    it('of a payment that was never made is refused', async () => {
      expect(await refund('UP0')).toMatchObject({ kind: 'refused' })
      await open()
      expect(await refund('UP0')).toMatchObject({ kind: 'refused' })
    })
  })

  const VERBS = {
    open: () => open(),
    query: () => query(),
    close: () => close(),
    refund: () => refund('UP1'),
  }
  describe.each(Object.entries(VERBS))('%s', (verb, ask) => {
    it.each(faults)('is unknown, and does not throw, when the upstream %s', async (fault) => {
      upstream.fail(fault)
      expect(await ask()).toMatchObject({ kind: 'unknown', why: expect.stringMatching(/.+/) })
    })

    it('is unknown when the caller gives up before it is answered, and asks nothing when it gave up before', async () => {
      upstream.fail('never answers')
      const caller = new AbortController()
      const signals = { early: AbortSignal.abort(), late: caller.signal }
      const asked = Object.values(signals).map((signal) => {
        const refundAsk = {
          ...ref,
          refundNo: 'AR1',
          paymentNo: 'UP1',
          amountFen: AMOUNT,
          totalFen: AMOUNT,
          reason: '测试',
          notifyUrl: 'http://127.0.0.1:1/',
        }
        if (verb === 'open') return open(ref, signal)
        if (verb === 'refund') return channel.refund(refundAsk, signal)
        return verb === 'query' ? channel.query(ref, signal) : channel.close(ref, signal)
      })
      caller.abort()
      for (const answer of await Promise.all(asked)) expect(answer.kind).toBe('unknown')
    })
  })

  describe('a notification', () => {
    const paidAndTold = async (): Promise<RawWebhook> => {
      await open()
      await pay()
      return upstream.told.at(-1) as RawWebhook
    }

    it('of a payment says the same as a query', async () => {
      const told = await paidAndTold()
      const asked = await query()
      const heard = await channel.readWebhook(told)
      expect(heard).toMatchObject({ kind: 'paid', attemptNo: ref.attemptNo })
      if (asked.kind === 'paid' && heard.kind === 'paid') expect(heard.payment).toEqual(asked.payment)
    })

    it('with one letter changed is forged, whichever letter', async () => {
      const { headers, body: bytes } = await paidAndTold()
      const body = bytes.toString()
      for (let at = 0; at < body.length; at += at > body.length - 40 ? 1 : 1 + Math.floor(body.length / 40)) {
        const changed = `${body.slice(0, at)}${body[at] === 'x' ? 'y' : 'x'}${body.slice(at + 1)}`
        expect((await channel.readWebhook({ headers, body: Buffer.from(changed) })).kind, changed).toBe('forged')
      }
    })

    it.each(['', '{}', '[]', 'null', 'a=b', '%zz', '{"resource":{}}'])('of %j is forged', async (body) => {
      expect((await channel.readWebhook({ headers: {}, body: Buffer.from(body) })).kind).toBe('forged')
    })

    it('is answered so that the upstream stops telling, or tells again', () => {
      const [heard, again] = [channel.replyToWebhook(true), channel.replyToWebhook(false)]
      expect(heard.status).toBe(200)
      expect([again.status, again.body]).not.toEqual([heard.status, heard.body])
    })
  })

  describe('a bill', () => {
    it('lists what was paid and what was sent back, to the fen', async () => {
      await open()
      const { paymentNo } = await pay()
      await refund(paymentNo, 'AR1', 250n)
      upstream.passTo(NEXT_MORNING)
      expect(await channel.fetchUpstreamBill('2026-01-31', patient())).toMatchObject({
        kind: 'bill',
        lines: [
          { kind: 'payment', attemptNo: ref.attemptNo, paymentNo, amountFen: AMOUNT, at: NOW },
          { kind: 'refund', attemptNo: ref.attemptNo, paymentNo, refundNo: 'AR1', amountFen: 250n },
        ],
      })
    })

    it('of a day on which nothing happened is none, as soon as that is certain', async () => {
      await open()
      await pay()
      expect(['later', 'none']).toContain((await channel.fetchUpstreamBill('2026-01-30', patient())).kind)
      upstream.passTo(new Date('2026-02-01T03:00:00Z'))
      expect(await channel.fetchUpstreamBill('2026-01-30', patient())).toMatchObject({ kind: 'none' })
    })

    it('of what was bought with commas, quotes and a large sum is read all the same', async () => {
      await channel.open({ ...ref, ...ASK, description: '苹果,梨,"桃", 5kg', amountFen: fen(99_999_999n) }, patient())
      await upstream.scan(ref)
      const payment = await pay()
      upstream.passTo(NEXT_MORNING)
      expect(await channel.fetchUpstreamBill('2026-01-31', patient())).toMatchObject({
        kind: 'bill',
        lines: [{ kind: 'payment', attemptNo: ref.attemptNo, paymentNo: payment.paymentNo, amountFen: 99_999_999n }],
      })
    })

    it.each(faults)('is unknown when the upstream %s', async (fault) => {
      await open()
      await pay()
      upstream.fail(fault)
      expect((await channel.fetchUpstreamBill('2026-01-31', patient())).kind).toBe('unknown')
    })
  })

  it('a refund that was asked for can be asked about', async () => {
    await open()
    const { paymentNo } = await pay()
    const ask = (refundNo: string) => channel.queryRefund({ ...ref, paymentNo, refundNo }, patient())
    expect((await ask('AR1')).kind).toBe('absent')
    await refund(paymentNo, 'AR1', 250n)
    expect(await ask('AR1')).toMatchObject({ kind: 'done', amountFen: 250n })
  })

  it('a refund names the payment: of one that the upstream does not know, nothing goes back', async () => {
    await open()
    const { paymentNo } = await pay()
    expect((await refund('4299999999999999999999999999', 'AR1')).kind).not.toBe('done')
    expect(await query()).toMatchObject({ kind: 'paid', payment: { paymentNo } })
    expect(['done', 'processing']).toContain((await refund(paymentNo, 'AR2')).kind)
    expect(await upstream.refundsOf(ref)).toBe(1)
  })

  it('a close of what is paid sends nothing back', async () => {
    await open()
    const { paymentNo } = await pay()
    await channel.close(ref, patient())
    expect(await query()).toMatchObject({ kind: 'paid', payment: { paymentNo } })
  })

  it('an answer about another number is unknown; one in another charset is what it says', async () => {
    await open()
    const payment = await pay()
    upstream.play('other_number')
    expect((await query()).kind).toBe('unknown')
    expect((await refund(payment.paymentNo, 'AR1', 250n)).kind).toBe('unknown')
    upstream.play('gbk')
    expect(await query()).toMatchObject({ kind: 'paid', payment })
  })

  it('what was unknown can be asked again, and is then answered', async () => {
    await open()
    const fault = faults[0] ?? null
    upstream.fail(fault)
    expect((await query()).kind).toBe('unknown')
    upstream.fail(null)
    expect(await query()).toMatchObject({ kind: 'open' })
  })
}

const HANGS = 'never answers'
const FAULTS: Record<string, Fault['kind']> = {
  'cuts the line': 'lost_answer',
  'fails before': 'error_before',
  'fails after': 'error_after',
  'is unreadable': 'unreadable',
  'signs wrongly': 'bad_signature',
}

const OURS = derKeys('ours', 512)
const THEIRS = derKeys('theirs', 512)

/** A channel whose calls go to a simulator in this process. */
function upstreamOf(build: (world: StandInWorld) => StandIn, make: (door: ChannelDoor) => Channel): Upstream {
  let now = NOW
  let fault: string | null = null
  const faults = seededFaults(1)
  const told: RawWebhook[] = []
  const deliver = async (_url: string, headers: Record<string, string>, body: string) => {
    told.push({ headers, body: Buffer.from(body) })
    return { status: 200, body: 'success' }
  }
  const standIn = build({ books: memoryBooks(), faults, now: () => now, sleep: async () => {}, deliver })
  const toStandIn: typeof fetch = async (input, init) => {
    if (fault === HANGS) return new Promise<never>(() => {})
    const url = new URL(String(input))
    const headers = { ...(init?.headers as Record<string, string>), host: url.host }
    const request = {
      method: init?.method ?? 'GET',
      url: url.pathname + url.search,
      headers,
      body: String(init?.body ?? ''),
    }
    const reply = await standIn.handle(request)
    if (reply === null) throw new TypeError('fetch failed')
    const body = reply.status === 204 ? null : new Uint8Array(Buffer.from(reply.body))
    return new Response(body, { status: reply.status, headers: reply.headers })
  }
  const channel = make({ fetch: toStandIn, now: () => now, newNonce: () => randomUUID().replaceAll('-', '') })
  return {
    channel,
    control: standIn.control,
    told,
    pay: async ({ attemptNo }) => {
      await standIn.control.scan(attemptNo)
      await standIn.control.pay(attemptNo)
      const answer = await channel.query({ attemptNo }, new AbortController().signal)
      return answer.kind === 'paid' ? answer.payment : null
    },
    scan: async ({ attemptNo }) => void (await standIn.control.scan(attemptNo)),
    refundsOf: async ({ attemptNo }) => (await standIn.control.trade(attemptNo))?.refunds.length ?? 0,
    fail: (how) => {
      fault = how
      const kind = FAULTS[how ?? '']
      faults.set(kind === undefined ? [] : [{ kind }])
    },
    play: (kind) => faults.set([{ kind }]),
    passTo: (later) => {
      now = later
    },
  }
}

/** With `more` a service provider's account, on both sides. */
const wechat = (
  more: { subMchId?: string; subAppId?: string } = {},
  {
    theirs = {},
    ours = {},
  }: { theirs?: Partial<WechatStandInSettings>; ours?: Partial<ChannelSettings['wechat']> } = {},
): Upstream =>
  upstreamOf(
    (world) =>
      makeWechatStandIn(
        {
          mchId: '1900000001',
          appId: 'wx1',
          apiV3Key: '0123456789abcdef0123456789abcdef',
          merchantPublicKey: OURS.publicKey,
          merchantSerial: 'SERIAL1',
          appSecret: 'app-secret',
          platformPrivateKey: THEIRS.privateKey,
          platformSerial: 'PUB_KEY_ID_1',
          ...more,
          ...theirs,
        },
        world,
      ),
    (door) =>
      INSTALLED.wechat(
        {
          baseUrl: 'http://wechat.test/mount',
          mchId: '1900000001',
          appId: 'wx1',
          serialNo: 'SERIAL1',
          apiV3Key: '0123456789abcdef0123456789abcdef',
          mchPrivateKey: OURS.privateKey,
          platformKeys: [{ id: 'PUB_KEY_ID_1', publicKey: THEIRS.publicKey }],
          ...more,
          ...ours,
        },
        door,
      ),
  )

const alipay = (): Upstream =>
  upstreamOf(
    (world) =>
      makeAlipayStandIn(
        {
          appId: '2021000000000001',
          sellerId: '2088000000000001',
          appPublicKey: OURS.publicKey,
          alipayPrivateKey: THEIRS.privateKey,
        },
        world,
      ),
    (door) =>
      INSTALLED.alipay(
        {
          gateway: 'http://alipay.test/mount/gateway.do',
          appId: '2021000000000001',
          sellerId: '2088000000000001',
          appPrivateKey: OURS.privateKey,
          alipayPublicKey: THEIRS.publicKey,
        },
        door,
      ),
  )

/** The same with certificates: of the channel's verbs each is to work in both modes. */
const AUTHORITY = alipayAuthority()
const alipayWithCertificates = (): Upstream =>
  upstreamOf(
    (world) =>
      makeAlipayStandIn(
        {
          appId: '2021000000000001',
          sellerId: '2088000000000001',
          appPublicKey: createPublicKey(AUTHORITY.app.publicPem)
            .export({ type: 'spki', format: 'der' })
            .toString('base64'),
          alipayPrivateKey: privateDer(AUTHORITY.alipay),
          certificates: { app: AUTHORITY.appFile, root: AUTHORITY.rootFile, alipay: [{ file: AUTHORITY.alipayFile }] },
        },
        world,
      ),
    (door) =>
      INSTALLED.alipay(
        {
          gateway: 'http://alipay.test/mount/gateway.do',
          appId: '2021000000000001',
          sellerId: '2088000000000001',
          appPrivateKey: AUTHORITY.app.privatePem,
          appCert: AUTHORITY.appFile,
          alipayCert: AUTHORITY.alipayFile,
          alipayRootCert: AUTHORITY.rootFile,
        },
        door,
      ),
  )

/** The compiler asks for a line here for every installed channel. */
const UPSTREAMS: Record<ChannelName, () => Upstream> = { wechat: () => wechat(), alipay }

it('a channel of WeChat Pay without keys learns the certificate that signs its answers, and asks for that one', async () => {
  const { pem, serial, privateKey } = platformCertificate()
  const theirs = { platformPrivateKey: privateKey, platformSerial: serial, platformCertificate: pem }
  const { channel } = wechat({}, { theirs, ours: { platformKeys: [] } })
  const { signal } = new AbortController()
  expect(await channel.query({ attemptNo: `AT${'0'.repeat(30)}` }, signal)).toMatchObject({ kind: 'absent' })
  const blind = wechat({}, { theirs: { ...theirs, apiV3Key: 'f'.repeat(32) }, ours: { platformKeys: [] } })
  expect(await blind.channel.query({ attemptNo: `AT${'0'.repeat(30)}` }, signal)).toMatchObject({ kind: 'unknown' })
})

/** The modes of an account that change what goes over the wire. */
describe('the channel wechat for a sub-merchant', () => channelSuite(() => wechat({ subMchId: '1900000109' })))

describe.each(Object.keys(INSTALLED).filter(isChannelName))('the channel %s', (name) => channelSuite(UPSTREAMS[name]))

describe('the channel alipay with certificates', () => channelSuite(alipayWithCertificates))

describe('a name', () => {
  it('is that of a channel when it is in the list, and not when an object merely has such a member', () => {
    expect(Object.keys(UPSTREAMS).every(isChannelName)).toBe(true)
    expect(['', 'fake', 'constructor', '__proto__', 'toString'].some(isChannelName)).toBe(false)
  })
})

describe('a call', () => {
  it('that fails with something that is no error is unknown all the same', async () => {
    const why = await orUnknown(new AbortController().signal, () => Promise.reject('text'))
    expect(why).toMatchObject({ kind: 'unknown', why: 'the call failed' })
  })

  it('is not made for a caller who gave up before', async () => {
    let calls = 0
    const call = async () => {
      calls += 1
      return { kind: 'open' }
    }
    expect(await orUnknown(AbortSignal.abort(), call)).toMatchObject({ kind: 'unknown' })
    expect(calls).toBe(0)
  })
})
