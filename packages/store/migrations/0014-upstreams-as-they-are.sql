-- The upstream's word for refusing the last call of a refund. It ends the refund only when a query shows no such refund
-- once the upstream's own delay has passed; until then the refund is PROCESSING.
alter table refund add column refusal text;

-- A refund that the books call failed, and that the upstream's bill lists. `contested_at`: its amount cannot be refunded
-- again until the upstream, or an operator, has said what became of it. `corrected_at`: the upstream said that it is done.
alter table refund add column contested_at timestamptz;
alter table refund add column corrected_at timestamptz;

alter table reconciliation_difference drop constraint reconciliation_difference_kind_check;
alter table reconciliation_difference add constraint reconciliation_difference_kind_check
  check (kind in ('PAYMENT_UNKNOWN', 'PAYMENT_MISSING', 'PAYMENT_AMOUNT', 'PAYMENT_RETURNED', 'REFUND_UNKNOWN',
                  'REFUND_MISSING', 'REFUND_AMOUNT', 'REFUND_DONE_THOUGH_FAILED', 'REFUND_NOT_DONE', 'LINE_UNREADABLE'));

-- The upstream's word for refusing requests of this account as such (a wrong key, an unknown app), until a call is answered again.
alter table channel_account add column complaint text;
alter table channel_account add column complained_at timestamptz;
