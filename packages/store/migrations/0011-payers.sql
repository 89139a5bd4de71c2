-- A way to pay that was opened for one payer (inside a wallet) is shown to nobody else. Null: whoever has it may pay.

alter table attempt add column open_id text check (open_id <> '');
