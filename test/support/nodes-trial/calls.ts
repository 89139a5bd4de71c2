/** Merchants who place, open attempts, are paid, query and close without a rest, and every call of theirs with what came of it. */
import { CLOSE_ANSWERS } from '@acopay/protocol'
import type { DemoSettings } from '../../../apps/server/src/sandbox/demo-merchant.ts'
import { type Answer, call, close, openAttempt, orderParams, pay, query } from '../merchant.ts'

export type Called = {
  mchNo: string
  what: 'place' | 'open' | 'query' | 'close' | 'refund'
  beganMs: number
  ms: number
  /** What came instead of an answer that the documents name. Null where all is well. */
  failed: string | null
}

/** What the merchant was told last of an order. */
export type Told = { of: DemoSettings; transactionNo: string; isClosed: boolean }

export type Calls = {
  made: Called[]
  orders: Told[]
  /** Ends after the orders that are under way. */
  stop: () => Promise<void>
}

const ANSWER_MS = 30_000
const AGAIN_MS = 50

/** `lanes` orders at a time of each merchant. */
export function startCalls(merchants: DemoSettings[], lanes: number): Calls {
  const made: Called[] = []
  const orders: Told[] = []
  let isOver = false

  async function timed<Found>(mchNo: string, what: Called['what'], ask: () => Promise<Found>): Promise<Found | null> {
    const beganMs = performance.now()
    const note = (failed: string | null): void =>
      void made.push({ mchNo, what, beganMs, ms: performance.now() - beganMs, failed })
    try {
      const found = await inTime(ask())
      note(null)
      return found
    } catch (error) {
      note((error as Error).message)
      return null
    }
  }

  /** Every fourth has an attempt, of which every second is paid before it is closed; what was paid is refunded. */
  async function oneOrder(of: DemoSettings, number: number): Promise<void> {
    const { mchNo } = of
    const placed = await timed(mchNo, 'place', async () =>
      said(await call(of, { method: 'POST', path: 'trade', params: orderParams(of) })),
    )
    const transactionNo = placed?.data.transaction_no
    if (typeof transactionNo !== 'string') return rest()
    const told: Told = { of, transactionNo, isClosed: false }
    orders.push(told)
    if (number % 4 === 0) {
      const attempt = await timed(mchNo, 'open', () => opened(of, transactionNo))
      if (attempt !== null && number % 8 === 0) await pay(of, transactionNo, attempt).catch(() => false)
    }
    await timed(mchNo, 'query', async () => said(await query(of, transactionNo)))
    const answer = await timed(mchNo, 'close', async () => said(await close(of, transactionNo)))
    told.isClosed = answer?.data.code === 'SUCCESS'
    if (answer === null) return rest()
    if (answer.data.code_desc === CLOSE_ANSWERS.paid.description)
      await timed(mchNo, 'refund', async () => said(await refund(of, transactionNo)))
  }

  const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  const lane = async (of: DemoSettings): Promise<void> => {
    for (let number = 1; !isOver; number += 1) await oneOrder(of, number)
  }
  const running = merchants.flatMap((of) => Array.from({ length: lanes }, () => lane(of)))
  return {
    made,
    orders,
    async stop() {
      isOver = true
      await Promise.all(running)
    },
  }
}

/** Passes on any answer but 1500, which says that the gateway could not do it. */
function said(answer: Answer): Answer {
  if (answer.httpStatus !== 200 || answer.status === 1500) throw new Error(`${answer.httpStatus}/${answer.status}`)
  return answer
}

async function opened(of: DemoSettings, transactionNo: string): Promise<string> {
  const attempt = await openAttempt(of, transactionNo)
  if (attempt === null) throw new Error('no attempt')
  return attempt
}

const refund = (of: DemoSettings, transaction_no: string): Promise<Answer> => {
  const params = {
    transaction_no,
    mch_refund_no: `r${transaction_no}`,
    refund_amount: '12.50',
    refund_reason: 'trial',
  }
  return call(of, { method: 'POST', path: 'refund', params })
}

async function inTime<Found>(asked: Promise<Found>): Promise<Found> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ANSWER_MS / 1000} s`)), ANSWER_MS)
  })
  return Promise.race([asked, late]).finally(() => clearTimeout(timer))
}
