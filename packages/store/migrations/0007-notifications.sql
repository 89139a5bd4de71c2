-- What merchants are told: one row for each change they must hear of, and one for each try to tell it.

create table notification (
  mch_no         text not null,
  transaction_no text not null,
  -- The timeline's entry that it tells of: no change is told of twice.
  seq            integer not null,
  kind           text not null check (kind in ('payment', 'refund')),
  url            text not null,
  -- The part of the address that is slow or down together.
  host           text not null,
  -- A JSON object, the business fields as they stood; signed anew at each try.
  news           text not null,
  state          text not null check (state in ('PENDING', 'DELIVERED', 'DEAD')),
  -- When it is tried next; taking it moves this ahead: that is its lease.
  due_at         timestamptz not null,
  -- Counts takings. Whoever failed names the taking it holds, so a late one changes nothing.
  taken          integer not null default 0,
  -- Tries in vain since it was written or last sent again by hand, and when that was.
  tries          integer not null default 0,
  round_at       timestamptz not null,
  created_at     timestamptz not null,
  primary key (mch_no, transaction_no, seq),
  foreign key (mch_no, transaction_no, seq) references timeline
);
create index notification_by_host on notification (host, due_at) where state = 'PENDING';
create index notification_by_round on notification (round_at) where state = 'PENDING';
create index notification_by_time on notification (mch_no, created_at, transaction_no, seq);
create index notification_dead on notification (mch_no, created_at) where state = 'DEAD';

create table notification_try (
  mch_no         text not null,
  transaction_no text not null,
  seq            integer not null,
  taken          integer not null,
  at             timestamptz not null,
  ms             integer not null check (ms >= 0),
  -- Null where no answer came.
  http_status    integer,
  -- The reply's first 4 KB.
  reply          text,
  -- Why it has to be sent again; null when it was heard.
  failure        text,
  primary key (mch_no, transaction_no, seq, taken),
  foreign key (mch_no, transaction_no, seq) references notification
);
