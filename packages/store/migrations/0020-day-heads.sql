-- Of each day that is over: what the rows written on it were, signed.
create table day_heads (
  day       date primary key,
  -- The exact text that is signed, a JSON object.
  heads     text not null,
  key_id    text not null,
  signature text not null
);

-- Which process makes them, and until when no other does. One row.
create table day_heads_lease (
  is_only    boolean primary key default true check (is_only),
  held_until timestamptz not null
);
insert into day_heads_lease (held_until) values ('-infinity');

-- A day's rows lie together, since rows are only added; so this index costs next to nothing to keep.
create index timeline_by_time on timeline using brin (at) with (pages_per_range = 32, autosummarize = on);
