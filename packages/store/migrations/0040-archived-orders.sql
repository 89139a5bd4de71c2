-- Orders of past months whose rows lie in files (docs/archive.md, decision 50), and what stays of each. Gateways of the release before
-- neither write nor read these tables: archive a month when none of them runs any more.

-- One row for each file. It says what `acopay archive` has done with it, so that a run that was killed is continued.
create table archive (
  archive_no text primary key check (archive_no ~ '^20[0-9]{2}-[0-9]{2}-[0-9a-f]{8}$'),
  -- Where it was written, and what it is known by wherever it lies now. Null while it is being written.
  file       text not null,
  sha256     text,
  orders     bigint,
  -- The last day on which one of its timelines has an entry.
  last_day   date,
  state      text not null check (state in ('WRITING', 'REMOVING', 'REMOVED', 'RESTORING', 'RESTORED')),
  begun_at   timestamptz not null,
  changed_at timestamptz not null,
  check ((state = 'WRITING') = (sha256 is null))
);

-- What stays of an order: its numbers, which are never used again, and how it ended, which a repeated close is answered with.
create table archived_order (
  mch_no         text not null,
  transaction_no text not null,
  mch_trade_no   text not null,
  state          text not null check (state in ('CLOSED', 'SUCCESS', 'REFUND')),
  close_reason   text,
  archive_no     text not null,
  primary key (mch_no, transaction_no),
  unique (mch_no, mch_trade_no)
);

create table archived_refund (
  mch_no         text not null,
  mch_refund_no  text not null,
  refund_no      text not null,
  transaction_no text not null,
  primary key (mch_no, mch_refund_no),
  unique (mch_no, refund_no)
);

-- The lines of archived payments, refunds and reversals in the bills of their days, so that a bill or a statement is the same as before.
create table archived_lines (
  mch_no     text not null,
  bill_day   date not null,
  kind       text not null check (kind in ('PAYMENT', 'REFUND', 'REVERSAL')),
  archive_no text not null,
  -- Its number in the file, from 1.
  part       integer not null,
  -- The time of its first line.
  first_at   timestamptz not null,
  -- A JSON array, gzip.
  lines      bytea not null,
  primary key (mch_no, bill_day, kind, archive_no, part)
);
create index archived_lines_by_part on archived_lines (mch_no, archive_no, part);

-- What is left of a merchant's timeline entries of a day whose heads are signed: their number and digest, under a keyed hash.
create table archived_day (
  mch_no  text not null,
  day     date not null,
  entries bigint not null,
  digest  text not null,
  mac     bytea not null,
  primary key (mch_no, day)
);
