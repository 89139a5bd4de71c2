-- The console: who may use it, who is signed in, and what they did. These belong to the installation.

create table console_user (
  username             text primary key check (username ~ '^[a-z0-9][a-z0-9._-]{1,63}$'),
  role                 text not null check (role in ('platform_admin', 'operator', 'finance', 'merchant_admin', 'merchant_viewer')),
  -- The merchant it belongs to; null sees all.
  mch_no               text references merchant,
  enabled              boolean not null default true,
  -- scrypt with its own salt and cost, as console-passwords.ts writes it.
  password_hash        text not null,
  must_change_password boolean not null,
  -- Sealed with the gateway's master key; in force once `totp_enabled`.
  totp_sealed          bytea,
  totp_enabled         boolean not null default false,
  -- The time step of the last code that was taken: each counts once.
  totp_step            bigint not null default 0,
  -- Sign-ins in vain since the last good one, and until when the next is not even looked at.
  failures             integer not null default 0,
  locked_until         timestamptz,
  last_signed_in_at    timestamptz,
  created_at           timestamptz not null,
  check ((role in ('merchant_admin', 'merchant_viewer')) = (mch_no is not null)),
  check (not totp_enabled or totp_sealed is not null)
);
create index console_user_by_merchant on console_user (mch_no, username);

create table console_session (
  -- SHA-256 of what the cookie holds.
  session_key bytea primary key,
  username    text not null references console_user,
  address     text not null,
  created_at  timestamptz not null,
  seen_at     timestamptz not null,
  expires_at  timestamptz not null
);
create index console_session_by_user on console_session (username);
create index console_session_by_expiry on console_session (expires_at);

create table console_audit (
  -- Begins with the time, as the platform's other numbers do.
  audit_no text primary key check (audit_no ~ '^AL[0-9]{36}$'),
  at       timestamptz not null,
  username text not null,
  address  text not null,
  action   text not null,
  mch_no   text,
  -- What it was done to: an order's number, a user's name.
  subject  text,
  -- 'BEGUN' until the answer is known: one that stays so was cut off by a crash.
  outcome  text not null,
  -- A JSON object, without secrets.
  detail   text not null
);
create index console_audit_by_merchant on console_audit (mch_no, audit_no);
create index console_audit_by_user on console_audit (username, audit_no);

-- The console's lists over all merchants go along the platform's numbers, which begin with the time.
create index orders_by_number on orders (transaction_no);
-- Whoever calls about a payment knows the upstream's number.
create index payment_by_number on payment (payment_no);
