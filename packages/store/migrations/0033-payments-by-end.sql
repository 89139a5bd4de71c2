-- concurrently
-- Payers tell the last digits of the number on their receipt, which is the upstream's.

create index concurrently payment_by_end on payment (reverse(payment_no) text_pattern_ops);
