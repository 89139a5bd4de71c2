-- Passkeys (WebAuthn) of the console's users: a second factor in place of a code. Gateways of the version before do not read these
-- tables: until they are replaced they ask a user who has only passkeys for the password alone.
create table console_passkey (
  -- Chosen by the authenticator. No two users have the same one.
  credential_id bytea primary key check (length(credential_id) between 1 and 1023),
  username      text not null references console_user,
  -- COSE, as the authenticator gave it.
  public_key    bytea not null,
  -- Signatures the authenticator has made, where it counts them; else 0.
  counter       bigint not null check (counter >= 0),
  -- How browsers reach the authenticator: hints, and nothing that is checked.
  transports    text[] not null,
  name          text not null,
  created_at    timestamptz not null,
  used_at       timestamptz
);
create index console_passkey_by_user on console_passkey (username, created_at);

-- Random numbers that a passkey has to sign. A row is deleted when its signature comes, so that each is good for one answer.
create table console_challenge (
  challenge  bytea primary key,
  username   text not null references console_user,
  purpose    text not null check (purpose in ('register', 'sign_in', 'prove')),
  expires_at timestamptz not null
);
create index console_challenge_by_user on console_challenge (username, purpose, expires_at);
create index console_challenge_by_expiry on console_challenge (expires_at);
