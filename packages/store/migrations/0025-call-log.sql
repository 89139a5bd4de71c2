-- The last calls of each merchant, as the gateway saw them (`GET calls`, `acopay logs`): decision 28. Bounded by number and by age;
-- nothing depends on it. Gateways of the version before neither write nor read it.
create table call_log (
  mch_no         text not null,
  -- Each kind has a bound of its own, so that no kind pushes out another. `unproven`: the signature did not verify, so it may be a stranger's.
  kind           text not null check (kind in ('done', 'refused', 'unproven')),
  at             timestamptz not null,
  request_id     text not null,
  -- Method and path, such as 'POST close'.
  call           text not null,
  address        text not null,
  transaction_no text,
  mch_trade_no   text,
  refund_no      text,
  mch_refund_no  text,
  status         integer not null,
  message        text not null,
  field_errors   text,
  code           text,
  ms             integer not null,
  signature      text not null check (signature in ('VERIFIED', 'NOT_CHECKED', 'NO_SIGNATURE', 'OTHER_KEY', 'OTHER_DIGEST', 'OTHER_TEXT')),
  key_id         text,
  -- What the gateway built to verify against, and for what did not verify the parameters as they came and the digest that was signed.
  signed_text    text,
  sent           text,
  signed_digest  text,
  -- How many calls of this kind before this one were not kept, because there were too many at once.
  left_out       integer not null,
  primary key (mch_no, kind, at, request_id)
);
create index call_log_by_time on call_log (at);
