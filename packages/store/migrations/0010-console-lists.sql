-- What the console's overview and lists read over all merchants: figures by the hour, and indexes that hold only what is
-- looked for, or that go along time.

-- Said once, when the order is closed; money that comes later does not change it. Null where an older version of the
-- gateway, still running beside a newer one, closes an order: those are missing in the overview only.
alter table orders add column closed_at timestamptz;
update orders set closed_at = changed_at where state = 'CLOSED';
create index orders_by_close on orders (closed_at) where closed_at is not null;
create index orders_closing on orders (changed_at) where state = 'CLOSING';

-- One row for each hour and merchant in which something happened, and one for all together under '*', which is no
-- merchant's number. The newest two hours are counted anew every minute.
create table order_hour (
  mch_no             text not null,
  hour_at            timestamptz not null,
  placed             bigint not null,
  paid               bigint not null,
  paid_fen           bigint not null,
  closed_by_merchant bigint not null,
  closed_by_expiry   bigint not null,
  closed_by_operator bigint not null,
  refunds            bigint not null,
  refunded_fen       bigint not null,
  reversals          bigint not null,
  reversed_fen       bigint not null,
  counted_at         timestamptz not null,
  primary key (mch_no, hour_at)
);

create index payment_by_booking on payment (booked_at);
create index refund_by_end on refund (success_time) where success_time is not null;
create index refund_by_number on refund (refund_no);
create index refund_under_way on refund (created_at) where state = 'PROCESSING';
create index reversal_by_end on reversal (changed_at) where state = 'SUCCESS';
create index reversal_by_number on reversal (refund_no);
create index reversal_under_way on reversal (created_at) where state = 'PROCESSING';
create index attempt_by_number on attempt (attempt_no);
create index notification_unheard on notification (created_at, mch_no, transaction_no, seq) where state <> 'DELIVERED';
create index bill_by_day on bill (bill_day, mch_no);
create index reconciliation_by_day on reconciliation (day, mch_no, channel);

-- A difference that somebody settled says who and how.
alter table reconciliation_difference add column note text;
alter table reconciliation_difference add column settled_by text;
alter table reconciliation_difference add column settled_at timestamptz;
create index difference_unsettled on reconciliation_difference (day) where not settled;
