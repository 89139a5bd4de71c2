-- What each gateway has let through and seen fail lately, for the others: decision 50. A row for each; it is written once a second while
-- there is something to tell, and may be lost: so it is in no log of the database. Gateways of the release before neither write nor read it.
create unlogged table shared_count (
  -- A name of its own from its start on: a process, or all of one machine that start together.
  member  text primary key,
  -- How often it has told.
  round   bigint not null,
  -- A JSON array, the last few rounds.
  told    text not null,
  told_at timestamptz not null
);
