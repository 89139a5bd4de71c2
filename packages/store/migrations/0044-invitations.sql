-- Who was invited to the console, and by which link: it makes the user when the link is used. Gateways of the release before neither
-- write nor read this table. A merchant is never removed, and so the table needs no reference to it.
create table console_invitation (
  -- Begins with the time.
  invitation_no text primary key check (invitation_no ~ '^IV[0-9]{36}$'),
  -- SHA-256 of the secret in the link, which nobody keeps.
  link_key      bytea not null unique check (length(link_key) = 32),
  username      text not null check (username ~ '^[a-z0-9][a-z0-9._-]{1,63}$'),
  role          text not null check (role in ('platform_admin', 'operator', 'finance', 'merchant_admin', 'merchant_viewer')),
  -- The merchant of the user; null for a role of the platform.
  mch_no        text,
  invited_by    text not null,
  created_at    timestamptz not null,
  expires_at    timestamptz not null,
  -- At most one of these two: a link that was used cannot be revoked, nor the other way round.
  used_at       timestamptz,
  revoked_at    timestamptz,
  check ((role in ('merchant_admin', 'merchant_viewer')) = (mch_no is not null)),
  check (used_at is null or revoked_at is null)
);
create index console_invitation_by_merchant on console_invitation (mch_no, invitation_no);
create index console_invitation_by_name on console_invitation (username);
create index console_invitation_by_expiry on console_invitation (expires_at);
