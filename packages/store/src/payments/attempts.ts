/** Attempts: tries to have an order paid through a channel. */
import { ATTEMPT_STATES, ATTEMPT_TABLE, type AttemptEvent, type AttemptState, type Fen, fen } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { lastOfEach } from './upstream-answers.ts'

export type Attempt = {
  mchNo: string
  attemptNo: string
  transactionNo: string
  channel: string
  method: string
  /** The upstream's id of the payer for whom it was opened; null where any payer may pay it. */
  openId: string | null
  amountFen: Fen
  state: AttemptState
  payUrl: string | null
  upstreamExpire: Date
  createInFlightUntil: Date
  createdAt: Date
}

type Row = Omit<Attempt, 'amountFen'> & { amountFen: bigint }

const COLUMNS = `mch_no as "mchNo", attempt_no as "attemptNo", transaction_no as "transactionNo", channel, method, open_id as "openId",
  amount_fen as "amountFen", state, pay_url as "payUrl", upstream_expire as "upstreamExpire",
  create_lands_until as "createInFlightUntil", created_at as "createdAt"`

const read = (row: Row): Attempt => ({ ...row, amountFen: fen(row.amountFen) })

/** Call it before the upstream is asked, in the transaction in which the order's table allowed the attempt. */
export async function insertAttempt(db: Db, attempt: Attempt): Promise<void> {
  await run(
    db,
    'insertAttempt',
    `insert into attempt (mch_no, attempt_no, transaction_no, channel, method, amount_fen, state, upstream_expire,
       create_lands_until, created_at, changed_at, open_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)`,
    [
      attempt.mchNo,
      attempt.attemptNo,
      attempt.transactionNo,
      attempt.channel,
      attempt.method,
      attempt.amountFen,
      attempt.state,
      attempt.upstreamExpire,
      attempt.createInFlightUntil,
      attempt.createdAt,
      attempt.openId,
    ],
  )
}

export async function findAttempt(db: Db, mchNo: string, attemptNo: string): Promise<Attempt | null> {
  const rows = await run<Row>(
    db,
    'findAttempt',
    `select ${COLUMNS} from attempt where mch_no = $1 and attempt_no = $2`,
    [mchNo, attemptNo],
  )
  return rows[0] === undefined ? null : read(rows[0])
}

/** Every attempt of an order, oldest first. */
export async function attemptsOf(db: Db, mchNo: string, transactionNo: string): Promise<Attempt[]> {
  const rows = await run<Row>(
    db,
    'attemptsOf',
    `select ${COLUMNS} from attempt where mch_no = $1 and transaction_no = $2 order by created_at, attempt_no`,
    [mchNo, transactionNo],
  )
  return rows.map(read)
}

/** `account`: the sealed settings of the account by which it was opened; null where there is none. */
export type AttemptToClose = Attempt & { account: Buffer | null }

/** Every attempt of an order, oldest first, with what closing it upstream needs. */
export async function attemptsToClose(db: Db, mchNo: string, transactionNo: string): Promise<AttemptToClose[]> {
  const rows = await run<Row & { account: Buffer | null }>(
    db,
    'attemptsOf with accounts',
    `select ${COLUMNS}, (select c.settings_sealed from channel_account c
                          where c.mch_no = $1 and c.channel = attempt.channel) as account
       from attempt where mch_no = $1 and transaction_no = $2 order by created_at, attempt_no`,
    [mchNo, transactionNo],
  )
  return rows.map(({ account, ...row }) => ({ ...read(row), account }))
}

/** What upstreams said while an order's attempts were closed. */
export type ShutAttempts = {
  mchNo: string
  transactionNo: string
  /** Those of the order that are proven closed. */
  attemptNos: string[]
  /** The upstreams' answers, for display: where there are several about one attempt, the last one is kept. */
  answers: { no: string; text: string }[]
  /** When those that are closed are looked at again. */
  watchAt: Date
  now: Date
}

/** What the table makes of each state that `shut` changes. */
const SHUTTING = ATTEMPT_STATES.flatMap((was) => {
  const { shut } = ATTEMPT_TABLE[was]
  return shut === was ? [] : [{ was, becomes: shut }]
})

/**
 * Moves those that are proven closed as their table says, each with the job that watches it, and writes the answers down. One call;
 * lock the order first. Returns the states of all attempts of the order afterwards.
 */
export async function shutAttempts(db: Db, shut: ShutAttempts): Promise<AttemptState[]> {
  const answers = lastOfEach(shut.answers)
  const rows = await run<{ state: AttemptState }>(
    db,
    'shutAttempts',
    'select state from shut_attempts($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    [
      shut.mchNo,
      shut.transactionNo,
      SHUTTING.map(({ was }) => was),
      SHUTTING.map(({ becomes }) => becomes),
      shut.attemptNos,
      answers.map(({ no }) => no),
      answers.map(({ text }) => text),
      shut.now,
      shut.watchAt,
    ],
  )
  return rows.map(({ state }) => state)
}

/** Moves the attempt as its table says. Lock its order first. A null `payUrl` leaves the stored one. */
export async function moveAttempt(
  db: Db,
  attempt: Attempt,
  move: { event: AttemptEvent; payUrl: string | null; now: Date },
): Promise<void> {
  await run(
    db,
    'moveAttempt',
    `update attempt set state = $3, pay_url = coalesce($4, pay_url), changed_at = $5
      where mch_no = $1 and attempt_no = $2 and state = $6`,
    [attempt.mchNo, attempt.attemptNo, ATTEMPT_TABLE[attempt.state][move.event], move.payUrl, move.now, attempt.state],
  )
}
