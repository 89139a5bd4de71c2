-- concurrently
-- While more orders have lapsed than one sweep takes, each merchant's oldest are found through this, so that one merchant's many do not
-- hold up the others'.
create index concurrently orders_open_by_merchant on orders (mch_no, time_expire) where state = 'NOTPAY';
