/**
 * Drawn by the planter (`npm run mutants -- --list --seed 18`) from the files that the simulation runs, not thought up. The comment
 * is the planter's name. Left out are those that do not compile, that change only texts for people, and that no run of one
 * merchant on one connection can show: locks, other merchants' rows, pages of thousands of rows (their tests are in the store).
 */
import type { Mutant } from './mutant.ts'

export const DRAWN_18: Mutant[] = [
  // moveUntouched:ce548b20
  {
    name: 'an order that needs the full close has its nonce used by the cheap one',
    file: 'packages/store/migrations/0029-move-untouched.sql',
    find: "if what <> 'involved' then",
    replace: 'if true then',
  },
  // PAGES:4e3c58fb
  {
    name: 'a bill has the refunds of every day',
    file: 'packages/store/src/bills/bills.ts',
    find: 'BILL_SELECTS.REVERSAL} and r.bill_day = $2',
    replace: 'BILL_SELECTS.REVERSAL} and (r.bill_day = $2 or true)',
  },
  // endNotificationTries:6eaf4e8f
  {
    name: 'a notification that failed is dead at once, and a dead one waits',
    file: 'packages/store/migrations/0053-found-by-key.sql',
    find: 'set due_at = case when p_next_at[place] is null then least(b.due_at, p_at[place])',
    replace: 'set due_at = case when p_next_at[place] is not null then least(b.due_at, p_at[place])',
  },
  // endNotificationTries:0bd924fb
  {
    name: 'a notification holds up those before it',
    file: 'packages/store/migrations/0053-found-by-key.sql',
    find: 'b.transaction_no = p_transaction_no[place] and b.seq > p_seq[place]',
    replace: 'b.transaction_no = p_transaction_no[place] and b.seq <= p_seq[place]',
  },
  // finishRefund:d85680e8
  {
    name: 'the merchant is told that an ended refund is under way',
    file: 'apps/server/src/actions/order/apply-event.ts',
    find: `loaded.refund = {
    ...refund,
    state: failure === null ? 'SUCCESS' : 'FAIL',
    successTime: failure === null ? now : null,
  }`,
    replace: ';',
  },
  // finishRefund:a301be06
  {
    name: 'the merchant is told that a failed refund is done',
    file: 'apps/server/src/actions/order/apply-event.ts',
    find: 'successTime: failure === null ? now : null,',
    replace: 'successTime: true ? now : null,',
  },
  // planBills:8e09cd75
  {
    name: 'planning the bills twice fails',
    file: 'packages/store/src/bills/bills.ts',
    find: `        /* of those in reach: m.mch_no */
     on conflict do nothing returning 1\`,`,
    replace: `        /* of those in reach: m.mch_no */
      returning 1\`,`,
  },
  // hasExpired:3f323928
  {
    name: 'an order never expires',
    file: 'packages/core/src/order.ts',
    find: 'const isExpired = nowMs >= order.expiresAtMs',
    replace: "const isExpired = order.state === 'CLOSED' && nowMs >= order.expiresAtMs",
  },
  // endNotificationTries:14f35a04
  {
    name: 'a notification that failed lets the next one go',
    file: 'packages/store/migrations/0053-found-by-key.sql',
    find: 'tries = n.tries + case when p_failure[place] is null then 0 else 1 end,',
    replace: 'tries = n.tries + case when (p_failure[place] is null or true) then 0 else 1 end,',
  },
  // removeJob:18287e81
  {
    name: 'a job that is done is not removed',
    file: 'packages/store/src/jobs/jobs.ts',
    find: `await run(db, 'removeJob', 'delete from job where mch_no = $1 and kind = $2 and subject = $3', [
    key.mchNo,
    key.kind,
    key.subject,
  ])`,
    replace: ';',
  },
  // PAGES:c72db2d6
  {
    name: "a bill's payments have no currency",
    file: 'packages/store/src/bills/bills.ts',
    find: `null as "refundNo", null as "mchRefundNo", p.amount_fen as "amountFen", p.currency, p.fate = 'keep' as "isKept",`,
    replace: `null as "refundNo", null as "mchRefundNo", p.amount_fen as "amountFen", case when true then null else p.currency end as currency, p.fate = 'keep' as "isKept",`,
  },
  // watchAttempt:d12314d8
  {
    name: 'the watch closes whatever it finds, for ever',
    file: 'apps/server/src/actions/payment/watch-attempt.ts',
    find: "if (answer.kind === 'open' && !isOver) {",
    replace: 'if (true) {',
  },
  // bookMoney:9e379104
  {
    name: 'a paid attempt stays open in the books',
    file: 'apps/server/src/actions/order/apply-event.ts',
    find: "await moveAttempt(db, attempt, { event: 'paid', payUrl: null, now })",
    replace: ';',
  },
  // refundRefusal:2a823c8a
  {
    name: 'every refund is too late',
    file: 'packages/core/src/refund.ts',
    find: "if (nowMs - of.paidAtMs > REFUND_WINDOW_MS) return 'REFUND_TIME_EXCEED'",
    replace: "if (nowMs + of.paidAtMs > REFUND_WINDOW_MS) return 'REFUND_TIME_EXCEED'",
  },
  // renumberReversal:3d6684d3
  {
    name: 'a reversal that ended without sending anything keeps its number in the books',
    file: 'packages/store/src/payments/payments.ts',
    find: "`update reversal set upstream_no = $3 where mch_no = $1 and refund_no = $2 and state || '' = 'PROCESSING'`,",
    replace: "`update reversal set upstream_no = $3 where mch_no = $1 and refund_no = $2 and state <> 'PROCESSING'`,",
  },
  // keptPayment:e5562e0b
  {
    name: 'a payment without refunds cannot be refunded',
    file: 'packages/store/src/payments/refunds.ts',
    find: 'from payment p left join refund r on r.mch_no = $1 and r.transaction_no = p.transaction_no',
    replace: 'from payment p  join refund r on r.mch_no = $1 and r.transaction_no = p.transaction_no',
  },
  // watchAttempt:b04274cb
  {
    name: 'the watch never ends',
    file: 'apps/server/src/actions/payment/watch-attempt.ts',
    find: "return isOver ? 'done' : 'retry'",
    replace: "return false ? 'done' : 'retry'",
  },
  // enqueueNotification:53fc8d79
  {
    name: 'every change is told as a refund',
    file: 'apps/server/src/actions/notification/enqueue-notification.ts',
    find: "} else if (event.event === step.event && (event.event === 'refund_done' || event.event === 'refund_failed')) {",
    replace: '} else if (true) {',
  },
  // PAGES:960d2543
  {
    name: "a bill's refunds have no app",
    file: 'packages/store/src/bills/bills.ts',
    find: `o.app_no as "appNo", a.channel, a.method
     from reversal r`,
    replace: `case when true then null else o.app_no end as "appNo", a.channel, a.method
     from reversal r`,
  },
  // moneyArrived:db616ded
  {
    name: 'a return from outside counts only while a refund is in doubt',
    file: 'apps/server/src/actions/order/read-event.ts',
    find: "const isReturnedOutside = isReturned && booked.fate === 'keep' && !booked.goesBack && !booked.isInDoubt",
    replace: "const isReturnedOutside = isReturned && booked.fate === 'keep' && !booked.goesBack && booked.isInDoubt",
  },
  // differingField:d4f1b60e
  {
    name: 'a refund that is asked for again differs in its amount',
    file: 'apps/server/src/actions/refund/refund-order.ts',
    find: "if (found.amountFen !== ask.amountFen) return 'refund_amount'",
    replace: "if (found.amountFen === ask.amountFen) return 'refund_amount'",
  },
  // PAGES:edca187e
  {
    name: 'a bill has the payments of every day',
    file: 'packages/store/src/bills/bills.ts',
    find: 'BILL_SELECTS.PAYMENT} and p.bill_day = $2',
    replace: 'BILL_SELECTS.PAYMENT} and (p.bill_day = $2 or true)',
  },
  // publishBill:21f1fb0a
  {
    name: 'a bill is never published',
    file: 'packages/store/src/bills/bills.ts',
    find: "where exists (select from job where mch_no = $1 and kind = 'make_bill' and subject = $8 and tries = $9 for update)",
    replace:
      "where exists (select from job where mch_no <> $1 and kind = 'make_bill' and subject = $8 and tries = $9 for update)",
  },
]
