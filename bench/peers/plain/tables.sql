-- What `prisma migrate` would make of schema.prisma: its engine is a program that npm does not bring.
create table merchant (
  number     text primary key,
  public_key text not null,
  enabled    boolean not null default true
);
create table nonce (
  merchant_no text not null,
  nonce       text not null,
  used_at     timestamptz not null default now(),
  primary key (merchant_no, nonce)
);
create table orders (
  merchant_no text not null,
  number      text not null,
  trade_no    text not null,
  description text not null,
  amount_fen  bigint not null,
  currency    text not null,
  state       text not null,
  created_at  timestamptz not null default now(),
  changed_at  timestamptz not null,
  primary key (merchant_no, number)
);
create unique index orders_trade_no on orders (merchant_no, trade_no);
create table change (
  id          bigserial primary key,
  merchant_no text not null,
  number      text not null,
  state       text not null,
  at          timestamptz not null default now()
);
create index change_order on change (merchant_no, number);
