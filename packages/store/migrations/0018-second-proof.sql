-- When the user of a session last proved who they are: at the sign-in, or with a password and a code since.
alter table console_session add column proven_at timestamptz;
update console_session set proven_at = created_at;
alter table console_session alter column proven_at set not null;

-- Codes that take the place of an authenticator that was lost, each once. Only their SHA-256 is kept.
create table console_recovery_code (
  username  text not null references console_user,
  code_hash bytea not null,
  primary key (username, code_hash)
);
