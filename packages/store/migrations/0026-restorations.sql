-- Each time that this database was set back to an earlier moment. docs/backup.md tells what a gateway then does before it serves.
create table restoration (
  -- When it was set back, and to which moment: what happened between the two is lost.
  began_at    timestamptz primary key,
  known_until timestamptz not null check (known_until <= began_at),
  -- One gateway closes the orders that were open; the others wait until it has, or until its lease ends.
  held_until  timestamptz not null,
  -- Null: the orders that were open have not all been closed yet, and no gateway serves.
  done_at     timestamptz,
  -- What was found, as JSON.
  report      text
);

-- Orders whose close was answered in the lost time, as a log says. They are closed without asking first.
create table restoration_close (
  mch_no         text not null,
  transaction_no text not null,
  primary key (mch_no, transaction_no)
);
