-- The upstreams' daily bills, held against our books.

create table reconciliation (
  mch_no      text not null,
  channel     text not null,
  -- In UTC+8, as the upstreams count days.
  day         date not null,
  lines       integer not null check (lines >= 0),
  differences integer not null check (differences >= 0),
  done_at     timestamptz not null,
  primary key (mch_no, channel, day),
  foreign key (mch_no, channel) references channel_account
);

-- One row per difference. It stays when it is settled: what happened once is worth seeing twice.
create table reconciliation_difference (
  mch_no     text not null,
  channel    text not null,
  day        date not null,
  kind       text not null check (kind in ('PAYMENT_UNKNOWN', 'PAYMENT_MISSING', 'PAYMENT_AMOUNT', 'REFUND_UNKNOWN',
                                           'REFUND_MISSING', 'REFUND_AMOUNT')),
  attempt_no text not null,
  payment_no text not null,
  -- Empty where it is about a payment.
  refund_no  text not null,
  -- Null on the side that does not know of it.
  ours_fen   bigint,
  theirs_fen bigint,
  -- Whether a rule has settled it; else it is the operator's.
  settled    boolean not null,
  found_at   timestamptz not null,
  primary key (mch_no, channel, day, kind, attempt_no, payment_no, refund_no),
  foreign key (mch_no, channel) references channel_account
);

create index payment_by_time on payment (mch_no, paid_at);
create index reversal_by_change on reversal (mch_no, changed_at);

alter table job drop constraint job_kind_check;
alter table job add constraint job_kind_check
  check (kind in ('shut_attempts', 'reverse_payment', 'watch_attempt', 'reconcile_day'));
