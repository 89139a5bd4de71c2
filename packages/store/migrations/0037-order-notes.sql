-- What the people of the console write about an order. Gateways of the release before neither write nor read these tables.
create table order_note (
  mch_no         text not null,
  transaction_no text not null,
  -- Begins with the time.
  note_no        text not null check (note_no ~ '^ON[0-9]{36}$'),
  at             timestamptz not null,
  username       text not null,
  -- Whether the merchant's users see it.
  for_merchant   boolean not null,
  note           text not null check (length(note) between 1 and 500),
  primary key (mch_no, transaction_no, note_no),
  foreign key (mch_no, transaction_no) references orders
);

create table order_tag (
  mch_no         text not null,
  transaction_no text not null,
  tag            text not null check (length(tag) between 1 and 24),
  at             timestamptz not null,
  username       text not null,
  primary key (mch_no, transaction_no, tag),
  foreign key (mch_no, transaction_no) references orders
);
