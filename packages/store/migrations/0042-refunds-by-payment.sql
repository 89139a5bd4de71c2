-- concurrently
-- Whoever removes a payment asks whether a refund refers to it; without this PostgreSQL reads all refunds of the merchant each time.

create index concurrently refund_by_payment on refund (mch_no, attempt_no, payment_no);
