/**
 * The suite that every channel passes. A new channel adds its line to `UPSTREAMS`: how to build it on an upstream of
 * its own, how a payer pays there, and every way in which its answers can fail.
 */
import { fen } from '@acopay/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type AttemptRef, type Channel, orUnknown, type UpstreamPayment } from './contract.ts'
import { type ChannelName, INSTALLED } from './installed.ts'
import type { SandboxBooks, SandboxTrade } from './sandbox/index.ts'

type Upstream = {
  channel: Channel
  /** The payer pays; null where the upstream refuses. */
  pay: (ref: AttemptRef) => Promise<UpstreamPayment | null>
  /** What an attempt's money came to upstream: sent back how often. */
  refundsOf: (ref: AttemptRef) => number
  /** From the next call on, the upstream fails in this way; null: no more. */
  fail: (fault: string | null) => void
  passTo: (now: Date) => void
}
type MakeUpstream = { faults: readonly string[]; make: () => Upstream }

const NOW = new Date('2026-01-31T00:00:00Z')
const EXPIRE = new Date('2026-01-31T02:00:00Z')
const AMOUNT = fen(1250n)
const ASK = {
  ...{ method: 'native', amountFen: AMOUNT, description: '测试', expireAt: EXPIRE },
  ...{ notifyUrl: 'http://127.0.0.1/notify', returnUrl: null, payerIp: null, openId: null },
}

function channelSuite({ faults, make }: MakeUpstream): void {
  let upstream: Upstream
  let channel: Channel
  let ref: AttemptRef
  let attempts = 0
  const patient = () => new AbortController().signal
  const open = (of = ref, signal = patient()) => channel.open({ ...of, ...ASK }, signal)
  const query = (of = ref) => channel.query(of, patient())
  const close = (of = ref) => channel.close(of, patient())
  const refund = (paymentNo: string, refundNo = 'AR1', amountFen: bigint = AMOUNT) =>
    channel.refund({ ...ref, refundNo, paymentNo, amountFen, totalFen: AMOUNT, reason: '测试' }, patient())
  async function pay(): Promise<UpstreamPayment> {
    const payment = await upstream.pay(ref)
    if (payment === null) throw new Error('the upstream refused the payer')
    return payment
  }
  beforeEach(() => {
    upstream = make()
    channel = upstream.channel
    attempts += 1
    ref = { attemptNo: `AT${String(attempts).padStart(36, '0')}` }
  })

  it('names its ways to pay and how long a lost create may still land', () => {
    expect(channel.methods.length).toBeGreaterThan(0)
    expect(channel.createLandsMs).toBeGreaterThanOrEqual(0)
  })

  describe('an attempt', () => {
    it('that was opened has something to show the payer, and is open', async () => {
      expect(await open()).toMatchObject({ kind: 'opened', payUrl: expect.stringMatching(/.+/) })
      expect(await query()).toEqual({ kind: 'open' })
    })

    it('opened twice is one attempt: it is paid once', async () => {
      await open()
      await open()
      const payment = await pay()
      expect((await pay()).paymentNo).toBe(payment.paymentNo)
    })

    it('nobody opened is absent, which is not closed', async () => {
      expect(await query()).toEqual({ kind: 'absent' })
    })

    it('takes no money from its expiry on, and says that it is closed', async () => {
      await open()
      upstream.passTo(EXPIRE)
      expect(await upstream.pay(ref)).toBeNull()
      expect(await query()).toEqual({ kind: 'closed' })
    })

    it('that was paid says by whom, when and exactly how much, also after its expiry', async () => {
      await open()
      const payment = await pay()
      upstream.passTo(EXPIRE)
      expect(await query()).toEqual({ kind: 'paid', payment })
      expect(payment).toMatchObject({ amountFen: AMOUNT, currency: 'CNY', paymentNo: expect.stringMatching(/.+/) })
      expect(payment.paidAt.getTime()).not.toBeNaN()
    })
  })

  describe('closing', () => {
    it('shuts an open attempt: a query afterwards proves it, and no payer gets through', async () => {
      await open()
      expect(await close()).toEqual({ kind: 'accepted' })
      expect(await query()).toEqual({ kind: 'closed' })
      expect(await upstream.pay(ref)).toBeNull()
      expect(await query()).toEqual({ kind: 'closed' })
    })

    it('twice, or twenty times at once, says the same again', async () => {
      await open()
      for (const answer of await Promise.all(Array.from({ length: 20 }, () => close()))) {
        expect(answer).toEqual({ kind: 'accepted' })
      }
      expect(await close()).toEqual({ kind: 'accepted' })
    })

    it('a paid attempt says that it is paid and leaves the money where it is', async () => {
      await open()
      const payment = await pay()
      expect(await close()).toEqual({ kind: 'paid' })
      expect(await query()).toEqual({ kind: 'paid', payment })
      expect(upstream.refundsOf(ref)).toBe(0)
    })

    it('one the upstream has never heard of proves nothing: it stays absent, and a late create still opens it', async () => {
      // Some upstreams accept the close of any number; those that know better say absent.
      expect(['absent', 'accepted']).toContain((await close()).kind)
      expect(await query()).toEqual({ kind: 'absent' })
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
      expect(upstream.refundsOf(ref)).toBe(1)
    })

    it('the whole amount a second time under another number is refused', async () => {
      await open()
      const { paymentNo } = await pay()
      await refund(paymentNo)
      expect(await refund(paymentNo, 'AR2')).toMatchObject({ kind: 'refused' })
      expect(upstream.refundsOf(ref)).toBe(1)
    })

    it('money nobody paid is refused', async () => {
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
      expect(await ask()).toEqual({ kind: 'unknown', why: expect.stringMatching(/.+/) })
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
        }
        if (verb === 'open') return open(ref, signal)
        if (verb === 'refund') return channel.refund(refundAsk, signal)
        return verb === 'query' ? channel.query(ref, signal) : channel.close(ref, signal)
      })
      caller.abort()
      for (const answer of await Promise.all(asked)) expect(answer.kind).toBe('unknown')
    })
  })

  it('what was unknown can be asked again, and is then answered', async () => {
    await open()
    const fault = faults[0] ?? null
    upstream.fail(fault)
    expect((await query()).kind).toBe('unknown')
    upstream.fail(null)
    expect(await query()).toEqual({ kind: 'open' })
  })
}

/** The sandbox's upstream in memory. */
function sandbox(): Upstream {
  const trades = new Map<string, SandboxTrade & { refundNos: string[] }>()
  let now = NOW
  let fault: string | null = null
  let payments = 0
  const keyOf = (account: string, attemptNo: string): string => `${account}/${attemptNo}`
  const find = (account: string, attemptNo: string) => trades.get(keyOf(account, attemptNo)) ?? null
  const reached = async <Answer>(answer: () => Answer): Promise<Answer> => {
    if (fault === 'never answers') return new Promise<never>(() => {})
    if (fault !== null) throw new Error(fault)
    return answer()
  }
  const books: SandboxBooks = {
    create: (trade) =>
      reached(() => {
        if (find(trade.account, trade.attemptNo) !== null) return
        const opened = { ...trade, state: 'open' as const, payment: null, refundNos: [] }
        trades.set(keyOf(trade.account, trade.attemptNo), opened)
      }),
    find: (account, attemptNo) => reached(() => find(account, attemptNo)),
    close: (account, attemptNo) =>
      reached(() => {
        const trade = find(account, attemptNo)
        if (trade?.state === 'open') trade.state = 'closed'
        return trade
      }),
    pay: async (account, attemptNo, payment) => {
      const trade = find(account, attemptNo)
      if (trade?.state === 'open' && trade.expireAt > now) {
        trade.state = 'paid'
        trade.payment = { ...payment, amountFen: trade.amountFen, currency: 'CNY' }
      }
      return trade
    },
    refund: (account, attemptNo, { refundNo }) =>
      reached(() => {
        const trade = find(account, attemptNo)
        if (trade?.state !== 'paid') return false
        if (trade.refundNos.length === 0) trade.refundNos.push(refundNo)
        return trade.refundNos.includes(refundNo)
      }),
  }
  return {
    channel: INSTALLED.sandbox('MCH1', books, () => now),
    pay: async ({ attemptNo }) => {
      payments += 1
      const payment = { paymentNo: `SB${payments}`, paidAt: now, payer: 'sandbox-payer' }
      return (await books.pay('MCH1', attemptNo, payment))?.payment ?? null
    },
    refundsOf: ({ attemptNo }) => find('MCH1', attemptNo)?.refundNos.length ?? 0,
    fail: (how) => {
      fault = how
    },
    passTo: (later) => {
      now = later
    },
  }
}

/** The compiler asks for a line here for every channel that is installed. */
const UPSTREAMS: Record<ChannelName, MakeUpstream> = {
  sandbox: { faults: ['is out of reach', 'breaks off'], make: sandbox },
}

describe.each(Object.keys(INSTALLED) as ChannelName[])('the channel %s', (name) => channelSuite(UPSTREAMS[name]))

describe('a call', () => {
  it('that fails with something that is no error is unknown all the same', async () => {
    const why = await orUnknown(new AbortController().signal, () => Promise.reject('text'))
    expect(why).toEqual({ kind: 'unknown', why: 'the call failed' })
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
