-- A third kind of notification. Rows that are there have one of the two others; the next file says so.
alter table notification drop constraint notification_kind_check;
alter table notification add constraint notification_kind_check check (kind in ('payment', 'refund', 'sent_back')) not valid;
