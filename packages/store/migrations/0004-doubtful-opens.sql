-- An attempt whose opening was never answered is asked about until it is known.

alter table job drop constraint job_kind_check;
alter table job add constraint job_kind_check
  check (kind in ('shut_attempts', 'reverse_payment', 'watch_attempt', 'reconcile_day', 'resolve_attempt'));
