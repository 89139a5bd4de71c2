-- Deeds for many orders that a user of the console asked for, and that wait for another user to confirm them. One that is confirmed, or
-- not wanted, has no row.
create table bulk_request (
  request_no text primary key,
  deed       text not null check (deed in ('close', 'resend')),
  -- A JSON list, [{"mchNo", "transactionNo"}], as they were named; each is decided again when it is done.
  orders     text not null,
  -- Whose users may see it: the merchant of all these orders; null where they are of several.
  mch_no     text,
  asked_by   text not null,
  asked_at   timestamptz not null
);
