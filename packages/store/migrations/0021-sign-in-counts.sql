-- Sign-ins in vain since the last good one, by name and by where they came from: an address, or the user's open sessions. So a
-- stranger who guesses locks itself out, and nobody else.
create table console_sign_in (
  username     text not null references console_user,
  -- An IPv4 address, the first half of an IPv6 address, or 'session'.
  origin       text not null,
  failures     integer not null,
  locked_until timestamptz,
  tried_at     timestamptz not null,
  primary key (username, origin)
);
create index console_sign_in_by_time on console_sign_in (tried_at);
-- `failures` and `locked_until` of console_user are not used any more. They stay for gateways of the version before, which may still run.
