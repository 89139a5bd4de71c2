-- A kept payment that the upstream, or the merchant in the upstream's own pages, has sent back: a difference of its own.

alter table reconciliation_difference drop constraint reconciliation_difference_kind_check;
alter table reconciliation_difference add constraint reconciliation_difference_kind_check
  check (kind in ('PAYMENT_UNKNOWN', 'PAYMENT_MISSING', 'PAYMENT_AMOUNT', 'PAYMENT_RETURNED', 'REFUND_UNKNOWN',
                  'REFUND_MISSING', 'REFUND_AMOUNT'));

-- An attempt that was paid while its order was being closed was asked about again, because our own close could send the
-- money back. It no longer can: nothing is left to ask.
delete from job j using attempt a
 where j.kind = 'watch_attempt' and a.mch_no = j.mch_no and a.attempt_no = j.subject and a.state = 'PAID';
