-- concurrently
-- Paid orders of one amount, the newest first. It holds no order before it is paid, so that placing and closing write nothing here.

create index concurrently orders_paid_by_amount on orders (mch_no, amount_fen, transaction_no) where success_time is not null;
