-- Refunds above an amount that a user of the console asked for, and that wait for another user to confirm them. One that is confirmed,
-- or not wanted, has no row.
create table refund_request (
  mch_no         text not null,
  -- The number that the refund gets: confirmed twice, it is the same refund.
  mch_refund_no  text not null,
  transaction_no text not null,
  amount_fen     bigint not null check (amount_fen > 0),
  reason         text not null,
  asked_by       text not null,
  asked_at       timestamptz not null,
  primary key (mch_no, mch_refund_no),
  foreign key (mch_no, transaction_no) references orders
);
