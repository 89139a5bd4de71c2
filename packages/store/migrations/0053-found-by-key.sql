-- A row that is named by its key is read by its key. Where a statement also asked for `state = 'PENDING'`, PostgreSQL could take the index of what is
-- pending instead: while nothing was pending at the last ANALYZE it believes that this index is empty, and reads all of it for each row
-- (decision 54). These functions are as they were, but look at the state of the row that they found.

create or replace function lease_jobs(
  p_group text, p_now timestamptz, p_lease_until timestamptz, p_limit int, p_mch_no text[], p_kind text[], p_subject text[]
) returns table (place int, tries int, created_at timestamptz) language plpgsql as $$
declare
  leased int := 0;
  was job;
begin
  for place in select generate_subscripts(p_subject, 1)
  loop
    exit when leased = p_limit;
    select * into was from job j where j.mch_no = p_mch_no[place] and j.kind = p_kind[place] and j.subject = p_subject[place]
       for update skip locked;
    continue when not found or was.due_at > p_now;
    update job j set due_at = p_lease_until, tries = j.tries + 1
     where j.mch_no = p_mch_no[place] and j.kind = p_kind[place] and j.subject = p_subject[place]
    returning j.tries, j.created_at into tries, created_at;
    leased := leased + 1;
    return next;
  end loop;
end
$$;

-- Without sorting, each host is read in the order of its index and no further than its room. `|| ''` keeps the earlier one of an order from being
-- looked for in an index of what is pending.
create or replace function due_notifications(p_now timestamptz, p_per_host int, p_host text[], p_free int[])
returns table (mch_no text, transaction_no text, seq int, due_at timestamptz) language plpgsql set enable_sort = off as $$
declare
  next_host text := '';
  free int;
begin
  loop
    select n.host into next_host from notification n
     where n.state = 'PENDING' and n.host > next_host order by n.host limit 1;
    exit when not found;
    free := coalesce(p_free[array_position(p_host, next_host)], p_per_host);
    continue when free <= 0;
    return query
      select n.mch_no, n.transaction_no, n.seq, n.due_at from notification n
       where n.state = 'PENDING' and n.host = next_host and n.due_at <= p_now
         and not exists (
           select from notification e where e.mch_no = n.mch_no and e.transaction_no = n.transaction_no
              and e.seq < n.seq and e.state || '' = 'PENDING')
       order by n.due_at limit free;
  end loop;
end
$$;

create or replace function take_notifications(
  p_group text, p_now timestamptz, p_lease_until timestamptz, p_mch_no text[], p_transaction_no text[], p_seq int[]
) returns table (
  place int, kind text, url text, host text, news text, taken int, tries int, request_id text, traceparent text
) language plpgsql as $$
declare
  was notification;
begin
  for place in select generate_subscripts(p_seq, 1)
  loop
    select * into was from notification n where n.mch_no = p_mch_no[place] and n.transaction_no = p_transaction_no[place]
       and n.seq = p_seq[place] for update skip locked;
    continue when not found or was.state <> 'PENDING' or was.due_at > p_now;
    update notification n set due_at = p_lease_until, taken = n.taken + 1
     where n.mch_no = p_mch_no[place] and n.transaction_no = p_transaction_no[place] and n.seq = p_seq[place]
    returning n.kind, n.url, n.host, n.news, n.taken, n.tries, n.request_id, n.traceparent
         into kind, url, host, news, taken, tries, request_id, traceparent;
    return next;
  end loop;
end
$$;

create or replace function end_notification_tries(
  p_group text, p_mch_no text[], p_transaction_no text[], p_seq int[], p_taken int[], p_at timestamptz[], p_ms int[],
  p_http_status int[], p_reply text[], p_failure text[], p_next_at timestamptz[]
) returns table (place int, state text) language plpgsql as $$
begin
  for place in
    select t.place from unnest(p_mch_no, p_transaction_no, p_seq) with ordinality as t (mch_no, transaction_no, seq, place)
     order by t.mch_no, t.transaction_no, t.seq, t.place
  loop
    insert into notification_try (mch_no, transaction_no, seq, taken, at, ms, http_status, reply, failure)
    values (p_mch_no[place], p_transaction_no[place], p_seq[place], p_taken[place], p_at[place], p_ms[place],
      p_http_status[place], p_reply[place], p_failure[place])
    on conflict do nothing;
    update notification n
       set state = case when p_failure[place] is null then 'DELIVERED' when p_next_at[place] is null then 'DEAD' else 'PENDING' end,
           tries = n.tries + case when p_failure[place] is null then 0 else 1 end,
           due_at = coalesce(p_next_at[place], n.due_at)
     where n.mch_no = p_mch_no[place] and n.transaction_no = p_transaction_no[place] and n.seq = p_seq[place]
       and n.state || '' = 'PENDING' and (p_failure[place] is null or n.taken = p_taken[place])
    returning n.state into state;
    if found then return next; end if;
    -- Later notifications of the same order become due with this one. Left due now, they would be read at every lease.
    update notification b
       set due_at = case when p_next_at[place] is null then least(b.due_at, p_at[place])
                         else greatest(b.due_at, p_next_at[place]) end
     where b.mch_no = p_mch_no[place] and b.transaction_no = p_transaction_no[place] and b.seq > p_seq[place]
       and b.state || '' = 'PENDING';
  end loop;
end
$$;

create or replace function give_up_notifications(
  p_group text, p_before timestamptz, p_now timestamptz, p_mch_no text[], p_transaction_no text[], p_seq int[]
) returns table (place int) language plpgsql as $$
declare
  was notification;
begin
  for place in select generate_subscripts(p_seq, 1)
  loop
    select * into was from notification n where n.mch_no = p_mch_no[place] and n.transaction_no = p_transaction_no[place]
       and n.seq = p_seq[place] for update skip locked;
    continue when not found or was.state <> 'PENDING' or was.round_at > p_before or was.due_at > p_now;
    update notification n set state = 'DEAD'
     where n.mch_no = p_mch_no[place] and n.transaction_no = p_transaction_no[place] and n.seq = p_seq[place];
    return next;
  end loop;
end
$$;

-- As before; without sorting, the first of an index is all that is read.
alter function due_times() set enable_sort = off;

create or replace function move_order(
  p_group text, p_transaction_no text, p_from text, p_to text, p_close_reason text, p_attempts int, p_head_seq int,
  p_head_hash bytea, p_now timestamptz, p_entry text, p_mac bytea, p_success_time timestamptz, p_payer text,
  p_pay_channel text, p_pay_method text, p_job_kind text, p_job_due_at timestamptz
) returns table (moved boolean) language plpgsql as $$
begin
  update orders o set state = p_to, close_reason = p_close_reason, attempts = p_attempts, head_seq = p_head_seq,
         head_hash = p_head_hash, changed_at = p_now, success_time = coalesce(p_success_time, o.success_time),
         payer = coalesce(p_payer, o.payer), pay_channel = coalesce(p_pay_channel, o.pay_channel),
         pay_method = coalesce(p_pay_method, o.pay_method),
         closed_at = case when p_to = 'CLOSED' then coalesce(o.closed_at, p_now) end
   where o.mch_no = p_group and o.transaction_no = p_transaction_no and o.state || '' = p_from and o.head_seq = p_head_seq - 1;
  if not found then return; end if;
  if p_job_kind is not null and p_job_due_at is not null then
    insert into job (mch_no, kind, subject, due_at, tries, created_at)
    values (p_group, p_job_kind, p_transaction_no, p_job_due_at, 1, p_now)
    on conflict do nothing;
  elsif p_job_kind is not null then
    delete from job j where j.mch_no = p_group and j.kind = p_job_kind and j.subject = p_transaction_no;
  end if;
  insert into timeline (mch_no, transaction_no, seq, at, entry, hash, mac)
  values (p_group, p_transaction_no, p_head_seq, p_now, p_entry, p_head_hash, p_mac);
  moved := true;
  return next;
end
$$;
