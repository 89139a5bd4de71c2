-- Bills for merchants. Each payment, refund and reversal is in the bill of one day, in UTC+8, for good: its own day, or
-- the first day whose bill was not closed yet, at 09:00 of the day after, when it was booked.

alter table payment add column bill_day date generated always as (greatest(
  ((paid_at at time zone 'UTC') + interval '8 hours')::date,
  ((booked_at at time zone 'UTC') - interval '1 hour')::date)) stored;
-- These are booked when they happen.
alter table refund add column bill_day date generated always as
  (((success_time at time zone 'UTC') + interval '8 hours')::date) stored;
alter table reversal add column bill_day date generated always as
  (case when state = 'SUCCESS' then ((changed_at at time zone 'UTC') + interval '8 hours')::date end) stored;
create index payment_by_bill on payment (mch_no, bill_day, paid_at, attempt_no, payment_no);
create index refund_by_bill on refund (mch_no, bill_day, success_time, refund_no);
create index reversal_by_bill on reversal (mch_no, bill_day, changed_at, refund_no);

create table bill (
  mch_no     text not null,
  bill_day   date not null,
  -- Zero: nothing happened that day, and there is no file.
  lines      bigint not null check (lines >= 0),
  file_no    text,
  size_bytes bigint not null,
  -- Lower-case hex.
  sha256     text,
  made_at    timestamptz not null,
  primary key (mch_no, bill_day),
  check ((lines = 0) = (file_no is null)),
  check ((lines = 0) = (sha256 is null))
);

-- A file in pieces, written one by one while it is made; the row of `bill` says which file counts.
create table bill_part (
  mch_no   text not null,
  bill_day date not null,
  file_no  text not null,
  seq      integer not null,
  bytes    bytea not null,
  primary key (mch_no, bill_day, file_no, seq)
);

alter table job drop constraint job_kind_check;
alter table job add constraint job_kind_check check (kind in
  ('shut_attempts', 'reverse_payment', 'watch_attempt', 'reconcile_day', 'resolve_attempt', 'send_refund', 'make_bill'));
