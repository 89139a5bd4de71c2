-- What the page of figures reads, so that it stays quick however many orders there are: decision 47. `order_hour` stays as it is, because
-- gateways of the release before still write it; they neither write nor read this table.
create table figure (
  -- '*' for all merchants together, which is no merchant's number.
  mch_no             text not null,
  -- A day in UTC+8 is the sum of its hours: in all under an empty channel, and by channel and method.
  span               text not null check (span in ('hour', 'day')),
  begins_at          timestamptz not null,
  -- In an hour empty for what belongs to no channel: orders that were placed or closed.
  channel            text not null,
  method             text not null,
  placed             bigint not null,
  placed_fen         bigint not null,
  -- Attempts of the orders that ended in this time, by being paid or closed: their number does not change any more.
  attempts           bigint not null,
  paid               bigint not null,
  paid_fen           bigint not null,
  -- From the opening of the attempt to its payment, added up.
  pay_seconds        bigint not null,
  closed_by_merchant bigint not null,
  closed_by_expiry   bigint not null,
  closed_by_operator bigint not null,
  closed_fen         bigint not null,
  refunds            bigint not null,
  refunded_fen       bigint not null,
  reversals          bigint not null,
  reversed_fen       bigint not null,
  counted_at         timestamptz not null,
  primary key (mch_no, span, begins_at, channel, method)
);
create index figure_by_time on figure (begins_at) where span = 'hour';
create index figure_of_days on figure (begins_at) where span = 'day' and channel = '';
