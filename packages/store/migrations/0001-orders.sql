-- The spine: merchants, their keys, orders, attempts, timeline, jobs, nonces.
-- Every key of a merchant's table begins with mch_no, so that the tables can be spread over machines by it.
-- Money is bigint fen. Times are timestamptz, given by the gateway's clock, never by now().

create table merchant (
  mch_no          text primary key check (mch_no ~ '^[0-9A-Za-z_-]{1,32}$'),
  name            text not null,
  enabled         boolean not null default true,
  -- Addresses or CIDR blocks that may call; empty means any.
  allowed_ips     text[] not null default '{}',
  -- Requests a second this merchant may make; null means the gateway's default.
  rate_per_second integer check (rate_per_second > 0),
  created_at      timestamptz not null
);

create table app (
  mch_no     text not null references merchant,
  app_no     text not null check (app_no ~ '^[0-9A-Za-z_-]{1,32}$'),
  name       text not null,
  enabled    boolean not null default true,
  created_at timestamptz not null,
  primary key (mch_no, app_no)
);

-- Several keys of a merchant may be valid at once, so that it can rotate without a gap.
create table merchant_key (
  mch_no      text not null references merchant,
  key_id      text not null,
  public_key  text not null,
  valid_from  timestamptz not null,
  valid_until timestamptz check (valid_until > valid_from),
  primary key (mch_no, key_id)
);

-- The private half is sealed with the gateway's master key (AES-256-GCM), which is never in the database.
create table platform_key (
  key_id             text primary key,
  public_key         text not null,
  private_key_sealed bytea not null,
  valid_from         timestamptz not null,
  valid_until        timestamptz check (valid_until > valid_from)
);

create table orders (
  mch_no          text not null,
  transaction_no  text not null check (transaction_no ~ '^AP[0-9]{36}$'),
  app_no          text not null,
  mch_trade_no    text not null,
  description     text not null,
  amount_fen      bigint not null check (amount_fen between 1 and 99999999),
  currency        text not null check (currency = 'CNY'),
  extra           text,
  notify_url      text,
  -- What the merchant asked, null when it left the expiry to us: a repeat is held against this.
  asked_expire    timestamptz,
  time_expire     timestamptz not null,
  state           text not null check (state in ('NOTPAY', 'CLOSING', 'CLOSED', 'SUCCESS', 'REFUND')),
  close_reason    text check (close_reason in ('MERCHANT', 'EXPIRED', 'OPERATOR')),
  -- Attempts ever opened. Zero means that no upstream has heard of this order.
  attempts        integer not null default 0 check (attempts >= 0),
  success_time    timestamptz,
  payer           text,
  pay_channel     text,
  pay_method      text,
  -- The timeline's last entry; each entry's hash covers the one before it.
  head_seq        integer not null,
  head_hash       bytea not null,
  created_at      timestamptz not null,
  changed_at      timestamptz not null,
  primary key (mch_no, transaction_no),
  unique (mch_no, mch_trade_no),
  foreign key (mch_no, app_no) references app,
  check ((state in ('CLOSING', 'CLOSED')) = (close_reason is not null)),
  check ((state in ('SUCCESS', 'REFUND')) = (success_time is not null))
);

-- Expiry looks for orders nobody closed in time; the index holds only those still open.
create index orders_open_by_expiry on orders (time_expire) where state = 'NOTPAY';

create table attempt (
  mch_no             text not null,
  attempt_no         text not null,
  transaction_no     text not null,
  channel            text not null,
  method             text not null,
  amount_fen         bigint not null check (amount_fen between 1 and 99999999),
  state              text not null check (state in ('OPENING', 'OPEN', 'PAID', 'SHUT')),
  -- What the payer needs (a QR code's content, say); null until the upstream has answered.
  pay_url            text,
  -- Upstream refuses payment from here on; never later than the order's own expiry.
  upstream_expire    timestamptz not null,
  -- Until then a create whose answer was lost may still land upstream.
  create_lands_until timestamptz not null,
  created_at         timestamptz not null,
  changed_at         timestamptz not null,
  primary key (mch_no, attempt_no),
  foreign key (mch_no, transaction_no) references orders
);
create index attempt_by_order on attempt (mch_no, transaction_no);

-- Money an upstream took, kept or on its way back. Each is booked once, however often we are told.
create table payment (
  mch_no         text not null,
  attempt_no     text not null,
  -- The upstream's number.
  payment_no     text not null,
  transaction_no text not null,
  amount_fen     bigint not null check (amount_fen > 0),
  currency       text not null,
  payer          text,
  paid_at        timestamptz not null,
  fate           text not null check (fate in ('keep', 'reverse')),
  booked_at      timestamptz not null,
  primary key (mch_no, attempt_no, payment_no),
  foreign key (mch_no, attempt_no) references attempt,
  foreign key (mch_no, transaction_no) references orders
);
-- No order keeps two payments, whatever the program does.
create unique index payment_kept on payment (mch_no, transaction_no) where fate = 'keep';

-- Money the gateway sends back by itself: late, second or wrong payments, always in full.
create table reversal (
  mch_no         text not null,
  refund_no      text not null check (refund_no ~ '^AR[0-9]{36}$'),
  transaction_no text not null,
  attempt_no     text not null,
  payment_no     text not null,
  amount_fen     bigint not null check (amount_fen > 0),
  state          text not null check (state in ('PROCESSING', 'SUCCESS')),
  created_at     timestamptz not null,
  changed_at     timestamptz not null,
  primary key (mch_no, refund_no),
  unique (mch_no, attempt_no, payment_no),
  foreign key (mch_no, attempt_no, payment_no) references payment
);

create table timeline (
  mch_no         text not null,
  transaction_no text not null,
  seq            integer not null check (seq >= 1),
  at             timestamptz not null,
  -- The exact bytes that were hashed, a JSON object; text, because jsonb would write them anew.
  entry          text not null,
  hash           bytea not null,
  primary key (mch_no, transaction_no, seq),
  foreign key (mch_no, transaction_no) references orders
);

-- One row per thing that must still happen. Taking it moves due_at ahead: that is its lease.
create table job (
  mch_no     text not null,
  kind       text not null check (kind in ('shut_attempts', 'reverse_payment')),
  subject    text not null,
  due_at     timestamptz not null,
  -- Counts takings. Whoever postpones a job names the taking it holds, so a late one changes nothing.
  tries      integer not null default 0,
  alarmed_at timestamptz,
  created_at timestamptz not null,
  primary key (mch_no, kind, subject)
);
create index job_by_due on job (due_at);

create table nonce (
  mch_no  text not null,
  nonce   text not null check (length(nonce) between 1 and 32),
  used_at timestamptz not null,
  primary key (mch_no, nonce)
);
create index nonce_by_use on nonce (used_at);

-- The books of the sandbox's upstream. They stand for somebody else's database: the gateway reads them only
-- through its sandbox channel.
create table sandbox_trade (
  mch_no     text not null,
  attempt_no text not null,
  amount_fen bigint not null check (amount_fen > 0),
  state      text not null check (state in ('open', 'closed', 'paid')),
  expire_at  timestamptz not null,
  payment_no text,
  payer      text,
  paid_at    timestamptz,
  -- Refund numbers that sent this trade's money back; a trade is refunded at most once, and in full.
  refund_no  text,
  primary key (mch_no, attempt_no),
  check ((state = 'paid') = (payment_no is not null)),
  check (refund_no is null or state = 'paid')
);
