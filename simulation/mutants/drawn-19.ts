/**
 * Drawn by the planter (`npm run mutants -- --list --seed 19`) from the files that the simulation runs, not thought up. The comment
 * is the planter's name. Left out are those that do not compile, that change only texts for people, and that no run of one
 * merchant on one connection can show: locks, other merchants' rows, pages of thousands of rows (their tests are in the store).
 */
import type { Mutant } from './mutant.ts'

export const DRAWN_19: Mutant[] = [
  // attemptsOf:5c7eb29f
  {
    name: 'the attempts of all orders are those of each',
    file: 'packages/store/src/payments/attempts.ts',
    find: `\`select \${COLUMNS} from attempt where mch_no = $1 and transaction_no = $2 order by created_at, attempt_no\`,`,
    replace: `\`select \${COLUMNS} from attempt where mch_no = $1 and (transaction_no = $2 or true) order by created_at, attempt_no\`,`,
  },
  // watchAttempt:4c0df746
  {
    name: 'the watch closes what is closed, and not what is open',
    file: 'apps/server/src/actions/payment/watch-attempt.ts',
    find: "if (answer.kind === 'open' && !isOver) {",
    replace: "if (answer.kind !== 'open' && !isOver) {",
  },
  // runAndSettle:03daf27c
  {
    name: 'the worker removes no job that is done',
    file: 'apps/server/src/jobs/worker.ts',
    find: 'await removeJob(world.pool, job)',
    replace: ';',
  },
  // areAllShut:40a36ba0
  {
    name: 'no attempt is ever written down as closed',
    file: 'packages/store/migrations/0052-shut-attempts.sql',
    find: 'set state = coalesce(becomes, a.state)',
    replace: 'set state = a.state',
  },
  // areAllShut:80fcb579
  {
    name: 'an order with a paid attempt only is not all closed',
    file: 'apps/server/src/actions/order/read-event.ts',
    find: "states.every((state) => state === 'SHUT' || state === 'PAID')",
    replace: "states.every((state) => state === 'SHUT')",
  },
  // moveUntouched:71133f5a
  {
    name: 'an order is not found by its number when it is closed',
    file: 'packages/store/migrations/0029-move-untouched.sql',
    find: 'select o.transaction_no into number from orders o',
    replace: 'select null into number from orders o',
  },
  // differingField:812a736d
  {
    name: 'a repeated refund of the same order is one of another',
    file: 'apps/server/src/actions/refund/refund-order.ts',
    find: "if (!isSameOrder) return 'transactionNo' in ask.ref ? 'transaction_no' : 'mch_trade_no'",
    replace: "if (isSameOrder) return 'transactionNo' in ask.ref ? 'transaction_no' : 'mch_trade_no'",
  },
  // leaseJobs:d19830ef
  {
    name: 'a leased job has no number',
    file: 'packages/store/migrations/0053-found-by-key.sql',
    find: 'returning j.tries, j.created_at into tries, created_at;',
    replace: 'returning null, j.created_at into tries, created_at;',
  },
  // refundsBetween:5090dbbf
  {
    name: 'the refunds to compare have no numbers',
    file: 'packages/store/src/bills/reconciliations.ts',
    find: 'select r.attempt_no, r.payment_no, r.refund_no, r.amount_fen',
    replace:
      'select r.attempt_no, r.payment_no, case when true then null else r.refund_no end as refund_no, r.amount_fen',
  },
  // COLUMNS:8ea234a6
  {
    name: 'attempts are read without their state',
    file: 'packages/store/src/payments/attempts.ts',
    find: 'amount_fen as "amountFen", state, pay_url as "payUrl", upstream_expire as "upstreamExpire",',
    replace:
      'amount_fen as "amountFen", case when true then null else state end as state, pay_url as "payUrl", upstream_expire as "upstreamExpire",',
  },
  // ORDER_COLUMNS:c5091374
  {
    name: 'orders are read without the hash of their last entry',
    file: 'packages/store/src/orders/orders.ts',
    find: `\`\${from}.\${column} as "\${name}"\``,
    replace: `\`\${column === 'head_hash' ? 'null::bytea' : \`\${from}.\${column}\`} as "\${name}"\``,
  },
  // lockOrder:f61f2048
  {
    name: 'another order is locked than the one that is changed',
    file: 'packages/store/src/orders/orders.ts',
    find: `\`select \${ORDER_COLUMNS} from orders where mch_no = $1 and transaction_no = $2 for update\`,`,
    replace: `\`select \${ORDER_COLUMNS} from orders where mch_no = $1 and (transaction_no = $2 or true) for update\`,`,
  },
]
