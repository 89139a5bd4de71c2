-- The audit log becomes append-only and chained: what an entry of a call came to is a row of its own, and every row has a number
-- and a keyed hash over the row before it.

-- Null: written before stamping began, or by an older version that still ran. Such a version also writes the outcome here.
alter table console_audit add column seq bigint unique, add column mac bytea, add check ((seq is null) = (mac is null));

create table console_audit_outcome (
  audit_no text primary key,
  at       timestamptz not null,
  outcome  text not null,
  -- A JSON object: what changed, before and after, without secrets.
  changes  text not null,
  seq      bigint not null unique,
  mac      bytea not null
);

-- One row: the last number and keyed hash. Whoever adds a row locks it, so that many processes write one chain.
create table console_audit_head (
  is_only boolean primary key default true check (is_only),
  seq     bigint not null,
  mac     bytea not null
);
insert into console_audit_head (seq, mac) values (0, '');

-- What the retention has removed: all rows up to a number, whose last keyed hash the rows left go on from.
create table console_audit_mark (
  until_seq  bigint primary key,
  last_mac   bytea not null,
  removed_at timestamptz not null,
  mac        bytea not null
);
create index console_audit_by_time on console_audit (at);
