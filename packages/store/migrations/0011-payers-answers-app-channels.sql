-- A way to pay that was opened for one payer (inside a wallet) is shown to nobody else. Null: whoever has it may pay.
alter table attempt add column open_id text;

-- What the upstream said last, for whoever has to find out why something is stuck. Nothing is decided by it.
alter table attempt add column last_answer text;
alter table attempt add column last_answer_at timestamptz;
alter table refund add column last_answer text;
alter table refund add column last_answer_at timestamptz;
alter table reversal add column last_answer text;
alter table reversal add column last_answer_at timestamptz;

-- The channels that payers of an app are offered; null: all with which the merchant has an account.
alter table app add column channels text[];

-- What the upstream knows a reversal by, where its first number ended without sending anything; null is refund_no.
alter table reversal add column upstream_no text;
-- The upstream sent it back by itself (a cancel of ours that met a payment): its bill does not know our number.
alter table reversal add column by_upstream boolean not null default false;
