-- A merchant lists its orders and refunds, newest first: an index for each way to ask, in the order of the list. Where these tables are
-- large, make the indexes before the update with `create index concurrently if not exists …`: then nothing waits here.
create index if not exists orders_of_state on orders (mch_no, state, transaction_no);
create index if not exists orders_of_app on orders (mch_no, app_no, state, transaction_no);
create index if not exists refund_of_state on refund (mch_no, state, refund_no);

-- Takes the place of refund_by_order, which did not have the order of the list.
create index if not exists refund_of_order on refund (mch_no, transaction_no, refund_no);
drop index refund_by_order;
