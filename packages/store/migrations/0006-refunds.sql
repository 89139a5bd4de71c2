-- Refunds that merchants ask for, always of the payment an order kept.

create table refund (
  mch_no         text not null,
  refund_no      text not null check (refund_no ~ '^AR[0-9]{36}$'),
  -- The merchant's number is the idempotency key.
  mch_refund_no  text not null,
  transaction_no text not null,
  attempt_no     text not null,
  payment_no     text not null,
  amount_fen     bigint not null check (amount_fen between 1 and 99999999),
  reason         text not null,
  notify_url     text,
  state          text not null check (state in ('PROCESSING', 'SUCCESS', 'FAIL')),
  -- The upstream's word for it, where it failed.
  failure        text,
  -- Until then a call whose answer was lost may still be carried out upstream.
  lands_until    timestamptz not null,
  success_time   timestamptz,
  created_at     timestamptz not null,
  changed_at     timestamptz not null,
  primary key (mch_no, refund_no),
  unique (mch_no, mch_refund_no),
  foreign key (mch_no, transaction_no) references orders,
  foreign key (mch_no, attempt_no, payment_no) references payment,
  check ((state = 'SUCCESS') = (success_time is not null)),
  check ((state = 'FAIL') = (failure is not null))
);
create index refund_by_order on refund (mch_no, transaction_no);
create index refund_by_success on refund (mch_no, success_time);
create index payment_by_order on payment (mch_no, transaction_no);
create index reversal_by_order on reversal (mch_no, transaction_no);

alter table job drop constraint job_kind_check;
alter table job add constraint job_kind_check check (kind in
  ('shut_attempts', 'reverse_payment', 'watch_attempt', 'reconcile_day', 'resolve_attempt', 'send_refund'));
