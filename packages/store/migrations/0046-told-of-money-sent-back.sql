-- Whether the app's merchant is told of each payment that was sent back (docs/wire/notifications.md). Off, because the official SDK reads
-- no such notification. A gateway of the version before tells nobody.
alter table app add column told_of_sent_back boolean not null default false;
