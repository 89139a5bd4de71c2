-- What is worth waking a person for, and where it is told: decision 37. Gateways of the version before neither write nor read these tables.
create table alarm (
  kind       text not null,
  -- What it is about: a word of the kind, an account, a channel, or the text of a log line.
  subject    text not null,
  raised_at  timestamptz not null,
  -- When it was last seen to hold.
  seen_at    timestamptz not null,
  -- How many rows now; or how often since it was raised.
  found      integer not null,
  -- A JSON array of the first few: {"mchNo", "number"}.
  examples   text not null,
  told_at    timestamptz,
  told_found integer,
  -- How often it had ended and was back within the hour.
  flaps      integer not null,
  cleared_at timestamptz,
  primary key (kind, subject, raised_at)
);
create unique index alarm_open on alarm (kind, subject) where cleared_at is null;
create index alarm_by_time on alarm ((cleared_at is null), raised_at, kind, subject);

-- What there is to tell, numbered in the order in which it happened.
create table alarm_news (
  number    bigint primary key,
  at        timestamptz not null,
  what      text not null check (what in ('raised', 'again', 'more', 'cleared')),
  kind      text not null,
  subject   text not null,
  raised_at timestamptz not null,
  found     integer not null,
  examples  text not null
);

create table alarm_channel (
  channel_id      text primary key,
  kind            text not null check (kind in ('mail', 'webhook', 'wecom', 'dingtalk', 'feishu')),
  name            text not null,
  settings_sealed bytea not null,
  enabled         boolean not null,
  created_at      timestamptz not null,
  changed_at      timestamptz not null,
  -- The last news that it was told; the next message holds all that came after.
  told_through    bigint not null check (told_through >= 0),
  -- No earlier than this: it rests after a message, after a failure, and at the end of an hour's messages.
  due_at          timestamptz not null,
  tries           integer not null,
  hour_at         timestamptz not null,
  hour_sent       integer not null,
  -- The last try: what was answered, and since when it fails.
  tried_at        timestamptz,
  last_answer     text,
  failing_from    timestamptz
);

-- Which process looks next. One row.
create table alarm_watch (
  is_only boolean primary key default true check (is_only),
  due_at  timestamptz not null
);
insert into alarm_watch (due_at) values ('-infinity');
