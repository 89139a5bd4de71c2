-- Signing in by an identity provider (OpenID Connect). Gateways of the release before neither write nor read these tables.
create table console_provider_link (
  -- These two are the provider's name for a person that never becomes another person's.
  issuer    text not null,
  subject   text not null check (length(subject) between 1 and 255),
  username  text not null references console_user,
  linked_at timestamptz not null,
  primary key (issuer, subject),
  unique (username, issuer)
);

-- Browsers that are at the provider, or came back and owe a second factor. A row is deleted when it is used: each is good for one return.
create table console_provider_trip (
  -- SHA-256 of what the browser's cookie holds; state, nonce and code verifier follow from the cookie and are stored nowhere.
  trip_key    bytea primary key,
  purpose     text not null check (purpose in ('sign_in', 'link', 'second')),
  -- Of 'link' and 'second'.
  username    text,
  -- Of 'link': the session that asked.
  session_key bytea,
  expires_at  timestamptz not null,
  check ((purpose = 'sign_in') = (username is null)),
  check ((purpose = 'link') = (session_key is not null))
);
create index console_provider_trip_by_expiry on console_provider_trip (expires_at);

-- Whoever came by the provider may sign out there too.
alter table console_session add column by_provider boolean not null default false;
