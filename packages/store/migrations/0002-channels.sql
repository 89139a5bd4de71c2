-- Channel accounts, the watching of shut attempts, and money we cannot place.

-- A merchant's account with an upstream; its credentials are sealed with the gateway's master key.
create table channel_account (
  mch_no          text not null references merchant,
  channel         text not null check (channel ~ '^[a-z]{1,32}$'),
  settings_sealed bytea not null,
  created_at      timestamptz not null,
  changed_at      timestamptz not null,
  primary key (mch_no, channel)
);

-- Money an upstream told us of for an attempt we do not know: kept, and raised to the operator.
create table stray_payment (
  mch_no     text not null,
  channel    text not null,
  attempt_no text not null,
  payment_no text not null,
  amount_fen bigint not null,
  currency   text not null,
  paid_at    timestamptz not null,
  heard_at   timestamptz not null,
  primary key (mch_no, channel, attempt_no, payment_no)
);

alter table job drop constraint job_kind_check;
alter table job add constraint job_kind_check check (kind in ('shut_attempts', 'reverse_payment', 'watch_attempt'));
