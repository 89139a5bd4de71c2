-- A keyed hash for each entry of a timeline. Its key is derived from the master key, which is never in the database.

-- Null: written before stamping began, or by an older version that still ran.
alter table timeline add column mac bytea;

-- The moment from which on an entry without a keyed hash is not believed, itself under one.
create table stamping (
  what     text primary key check (what in ('timeline', 'audit')),
  begun_at timestamptz not null,
  mac      bytea not null
);
