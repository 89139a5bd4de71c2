-- A one-time password that nobody uses is a key that lies about: it ends three days after it was made. Null for one's own.
alter table console_user add column password_ends_at timestamptz;
update console_user set password_ends_at = now() + interval '72 hours' where must_change_password;
