-- What stays of an archived order's attempts, so that money that still arrives for one is recognised (decision 53). Orders without
-- attempts have no row, since nobody could pay them.
create table archived_attempt (
  mch_no         text not null,
  attempt_no     text not null,
  transaction_no text not null,
  app_no         text not null,
  channel        text not null,
  method         text not null,
  -- The order's amount.
  amount_fen     bigint not null check (amount_fen > 0),
  -- The upstream's numbers of the payments that were booked for it.
  payments       text[] not null,
  primary key (mch_no, attempt_no)
);
