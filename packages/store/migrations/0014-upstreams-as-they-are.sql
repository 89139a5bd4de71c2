-- The upstream's word for refusing the last call of a refund. It ends the refund only when a query shows no such refund
-- once the upstream's own delay has passed; until then the refund is PROCESSING.
alter table refund add column refusal text;
