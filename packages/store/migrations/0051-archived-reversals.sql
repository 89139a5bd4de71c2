-- Payments that arrived for an attempt of an archived order, and go back (decision 53). When the order is brought back, its rows become a
-- payment and a reversal of it.
create table archived_reversal (
  mch_no         text not null,
  refund_no      text not null check (refund_no ~ '^AR[0-9]{36}$'),
  transaction_no text not null,
  attempt_no     text not null,
  payment_no     text not null,
  amount_fen     bigint not null check (amount_fen > 0),
  currency       text not null,
  payer          text,
  paid_at        timestamptz not null,
  state          text not null check (state in ('PROCESSING', 'SUCCESS')),
  by_upstream    boolean not null,
  upstream_no    text,
  last_answer    text,
  last_answer_at timestamptz,
  -- When the gateway heard of the payment.
  created_at     timestamptz not null,
  changed_at     timestamptz not null,
  -- As a timeline's entry says it, and its keyed hash.
  entry          text not null,
  mac            bytea not null,
  -- The bills in which the payment and its return are, by the rules of 0008.
  paid_day       date generated always as (greatest(
    ((paid_at at time zone 'UTC') + interval '8 hours')::date,
    ((created_at at time zone 'UTC') - interval '1 hour')::date)) stored,
  bill_day       date generated always as
    (case when state = 'SUCCESS' then ((changed_at at time zone 'UTC') + interval '8 hours')::date end) stored,
  primary key (mch_no, refund_no),
  unique (mch_no, attempt_no, payment_no),
  -- Holds the order in the archive while a payment of it is written, and refuses one of an order that was brought back in that moment.
  foreign key (mch_no, transaction_no) references archived_order
);
create index archived_reversal_of_order on archived_reversal (mch_no, transaction_no);
