-- What finance compares and settles at the console, and the work that an overview calls stuck.

-- What the upstream's bill adds up to. Null where an older version of the gateway held it against the books: not known.
alter table reconciliation add column paid_lines integer check (paid_lines >= 0);
alter table reconciliation add column paid_fen bigint;
alter table reconciliation add column refunded_lines integer check (refunded_lines >= 0);
alter table reconciliation add column refunded_fen bigint;

-- Money that nobody knew of and that somebody has dealt with says who and how; it stays.
alter table stray_payment add column settled_at timestamptz;
alter table stray_payment add column settled_by text;
alter table stray_payment add column note text;

-- The console's lists: what nobody has settled first, then the newest; over all merchants, and of one.
create index difference_by_day on reconciliation_difference
  ((not settled), day, mch_no, channel, kind, attempt_no, payment_no, refund_no);
create index difference_of_merchant on reconciliation_difference
  (mch_no, (not settled), day, channel, kind, attempt_no, payment_no, refund_no);
create index stray_by_time on stray_payment ((settled_at is null), heard_at, mch_no, channel, attempt_no, payment_no);
create index stray_of_merchant on stray_payment
  (mch_no, (settled_at is null), heard_at, channel, attempt_no, payment_no);

-- Work that was tried and is not done: what succeeds at once never comes into this index. Watching a shut attempt takes
-- days by design and is left out.
create index job_in_trouble on job (created_at) where tries >= 3 and kind <> 'watch_attempt';
