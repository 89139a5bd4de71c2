-- One row that the health check writes: a database that is full or read-only is not ready.
create table readiness (
  id integer primary key check (id = 1),
  at timestamptz not null
);
