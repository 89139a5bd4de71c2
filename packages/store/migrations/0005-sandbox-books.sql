-- What the sandbox's upstreams know: they stand for somebody else's databases, so nothing here is the merchant's, and
-- nothing of the gateway reads it but they.

drop table sandbox_trade;

create table sandbox_book (
  key      text primary key,
  -- A JSON object; empty while its first writer is at it.
  document text not null
);
