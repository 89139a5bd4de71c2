/** The books of the sandbox's upstream; its channel is the only reader. */
import { type Db, run } from './db.ts'

export type SandboxTradeRow = {
  account: string
  attemptNo: string
  amountFen: bigint
  state: 'open' | 'closed' | 'paid'
  expireAt: Date
  payment: { paymentNo: string; amountFen: bigint; currency: string; paidAt: Date; payer: string | null } | null
}

type Row = Omit<SandboxTradeRow, 'payment'> & { paymentNo: string | null; payer: string | null; paidAt: Date | null }

const COLUMNS = `mch_no as account, attempt_no as "attemptNo", amount_fen as "amountFen", state,
  expire_at as "expireAt", payment_no as "paymentNo", payer, paid_at as "paidAt"`

function read(row: Row | undefined): SandboxTradeRow | null {
  if (row === undefined) return null
  const { paymentNo, payer, paidAt, ...trade } = row
  const isPaid = paymentNo !== null && paidAt !== null
  return { ...trade, payment: isPaid ? { paymentNo, amountFen: row.amountFen, currency: 'CNY', paidAt, payer } : null }
}

/** Books over a database, in the shape the sandbox channel asks for; `now` decides what has expired. */
export function sandboxBooks(db: Db, now: () => Date) {
  const find = async (account: string, attemptNo: string): Promise<SandboxTradeRow | null> =>
    read(
      (
        await run<Row>(db, 'findTrade', `select ${COLUMNS} from sandbox_trade where mch_no = $1 and attempt_no = $2`, [
          account,
          attemptNo,
        ])
      )[0],
    )
  return {
    find,
    async create(trade: Pick<SandboxTradeRow, 'account' | 'attemptNo' | 'amountFen' | 'expireAt'>): Promise<void> {
      await run(
        db,
        'createTrade',
        `insert into sandbox_trade (mch_no, attempt_no, amount_fen, state, expire_at) values ($1, $2, $3, 'open', $4)
         on conflict do nothing`,
        [trade.account, trade.attemptNo, trade.amountFen, trade.expireAt],
      )
    },
    async close(account: string, attemptNo: string): Promise<SandboxTradeRow | null> {
      await run(
        db,
        'closeTrade',
        `update sandbox_trade set state = 'closed' where mch_no = $1 and attempt_no = $2 and state = 'open'`,
        [account, attemptNo],
      )
      return find(account, attemptNo)
    },
    async pay(
      account: string,
      attemptNo: string,
      payment: { paymentNo: string; paidAt: Date; payer: string | null },
    ): Promise<SandboxTradeRow | null> {
      await run(
        db,
        'payTrade',
        `update sandbox_trade set state = 'paid', payment_no = $3, payer = $4, paid_at = $5
          where mch_no = $1 and attempt_no = $2 and state = 'open' and expire_at > $6`,
        [account, attemptNo, payment.paymentNo, payment.payer, payment.paidAt, now()],
      )
      return find(account, attemptNo)
    },
    async refund(account: string, attemptNo: string, refund: { refundNo: string }): Promise<boolean> {
      const rows = await run(
        db,
        'refundTrade',
        `update sandbox_trade set refund_no = $3
          where mch_no = $1 and attempt_no = $2 and state = 'paid' and coalesce(refund_no, $3) = $3 returning 1`,
        [account, attemptNo, refund.refundNo],
      )
      return rows.length === 1
    },
  }
}
