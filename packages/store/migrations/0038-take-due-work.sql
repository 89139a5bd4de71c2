-- Work that is due is found without a lock, over all merchants, and then taken in lists, each of merchants of one group. These functions decide
-- nothing: they compare and set. `p_group` is the merchant by whom a cluster finds where all members of a list lie; a list's members belong together
-- by their place. Decision 48 says why there are two steps.

-- Leases jobs that are still due, in the order of the list, until it has leased `p_limit`. It never waits: one that somebody has locked is passed over.
create function lease_jobs(
  p_group text, p_now timestamptz, p_lease_until timestamptz, p_limit int, p_mch_no text[], p_kind text[], p_subject text[]
) returns table (place int, tries int, created_at timestamptz) language plpgsql as $$
declare
  leased int := 0;
begin
  for place in select generate_subscripts(p_subject, 1)
  loop
    exit when leased = p_limit;
    perform from job j where j.mch_no = p_mch_no[place] and j.kind = p_kind[place] and j.subject = p_subject[place]
       and j.due_at <= p_now for update skip locked;
    continue when not found;
    update job j set due_at = p_lease_until, tries = j.tries + 1
     where j.mch_no = p_mch_no[place] and j.kind = p_kind[place] and j.subject = p_subject[place]
    returning j.tries, j.created_at into tries, created_at;
    leased := leased + 1;
    return next;
  end loop;
end
$$;

-- Due notifications, host by host, so that what waits for a dead host is neither read nor in the way: of each host at most as many as may start
-- now. None that has an earlier one of its order before it. Each host costs two entries of an index.
create function due_notifications(p_now timestamptz, p_per_host int, p_host text[], p_free int[])
returns table (mch_no text, transaction_no text, seq int, due_at timestamptz) language plpgsql as $$
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
              and e.seq < n.seq and e.state = 'PENDING')
       order by n.due_at, n.seq limit free;
  end loop;
end
$$;

-- Leases notifications that are still due. It never waits.
create function take_notifications(
  p_group text, p_now timestamptz, p_lease_until timestamptz, p_mch_no text[], p_transaction_no text[], p_seq int[]
) returns table (
  place int, kind text, url text, host text, news text, taken int, tries int, request_id text, traceparent text
) language plpgsql as $$
begin
  for place in select generate_subscripts(p_seq, 1)
  loop
    perform from notification n where n.mch_no = p_mch_no[place] and n.transaction_no = p_transaction_no[place]
       and n.seq = p_seq[place] and n.state = 'PENDING' and n.due_at <= p_now for update skip locked;
    continue when not found;
    update notification n set due_at = p_lease_until, taken = n.taken + 1
     where n.mch_no = p_mch_no[place] and n.transaction_no = p_transaction_no[place] and n.seq = p_seq[place]
    returning n.kind, n.url, n.host, n.news, n.taken, n.tries, n.request_id, n.traceparent
         into kind, url, host, news, taken, tries, request_id, traceparent;
    return next;
  end loop;
end
$$;

-- Writes tries and the state that follows from each. In the order of their keys, so that two lists do not deadlock.
create function end_notification_tries(
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
       and n.state = 'PENDING' and (p_failure[place] is null or n.taken = p_taken[place])
    returning n.state into state;
    if found then return next; end if;
    -- Later notifications of the same order become due with this one. Left due now, they would be read at every lease.
    update notification b
       set due_at = case when p_next_at[place] is null then least(b.due_at, p_at[place])
                         else greatest(b.due_at, p_next_at[place]) end
     where b.mch_no = p_mch_no[place] and b.transaction_no = p_transaction_no[place] and b.seq > p_seq[place]
       and b.state = 'PENDING';
  end loop;
end
$$;

-- Turns notifications that have waited since before `p_before` into dead letters. It never waits.
create function give_up_notifications(
  p_group text, p_before timestamptz, p_now timestamptz, p_mch_no text[], p_transaction_no text[], p_seq int[]
) returns table (place int) language plpgsql as $$
begin
  for place in select generate_subscripts(p_seq, 1)
  loop
    perform from notification n where n.mch_no = p_mch_no[place] and n.transaction_no = p_transaction_no[place]
       and n.seq = p_seq[place] and n.state = 'PENDING' and n.round_at <= p_before and n.due_at <= p_now
       for update skip locked;
    continue when not found;
    update notification n set state = 'DEAD'
     where n.mch_no = p_mch_no[place] and n.transaction_no = p_transaction_no[place] and n.seq = p_seq[place];
    return next;
  end loop;
end
$$;

-- Forgets nonces that were used before `p_before`, merchant by merchant; answers how many of each. It never waits.
create function forget_nonces(p_group text, p_before timestamptz, p_mch_no text[], p_nonce text[])
returns table (forgotten int) language plpgsql as $$
declare
  whose text;
  nonces text[];
begin
  for whose, nonces in select t.mch_no, array_agg(t.nonce) from unnest(p_mch_no, p_nonce) as t (mch_no, nonce) group by t.mch_no
  loop
    with old as materialized (
      select n.nonce from nonce n where n.mch_no = whose and n.nonce = any (nonces) and n.used_at < p_before
         for update skip locked)
    delete from nonce n where n.mch_no = whose and n.nonce in (select o.nonce from old o);
    get diagnostics forgotten = row_count;
    return next;
  end loop;
end
$$;

-- Forgets logged calls of before `p_before`, merchant by merchant; answers how many of each. It never waits.
create function forget_calls(
  p_group text, p_before timestamptz, p_mch_no text[], p_kind text[], p_at timestamptz[], p_request_id text[]
) returns table (forgotten int) language plpgsql as $$
declare
  whose text;
  calls text[];
begin
  for whose, calls in
    select t.mch_no, array_agg(t.request_id) from unnest(p_mch_no, p_request_id) as t (mch_no, request_id) group by t.mch_no
  loop
    with old as materialized (
      select c.kind, c.at, c.request_id from call_log c
       where c.mch_no = whose and c.kind = any (p_kind) and c.at = any (p_at) and c.request_id = any (calls) and c.at < p_before
         for update skip locked)
    delete from call_log c where c.mch_no = whose and (c.kind, c.at, c.request_id) in (select o.kind, o.at, o.request_id from old o);
    get diagnostics forgotten = row_count;
    return next;
  end loop;
end
$$;

-- What a process with nothing to do asks: since when something has been due, or when it will be. One entry of an index for each, and of the
-- notifications two for each host with any that are pending.
create function due_times(out expiry timestamptz, out nonces timestamptz, out jobs timestamptz, out notifications timestamptz)
language plpgsql as $$
declare
  next_host text := '';
  due timestamptz;
begin
  select min(o.time_expire) into expiry from orders o where o.state = 'NOTPAY';
  select min(n.used_at) into nonces from nonce n;
  select min(j.due_at) into jobs from job j;
  loop
    select n.host into next_host from notification n
     where n.state = 'PENDING' and n.host > next_host order by n.host limit 1;
    exit when not found;
    select n.due_at into due from notification n where n.state = 'PENDING' and n.host = next_host order by n.due_at limit 1;
    notifications := least(notifications, due);
  end loop;
end
$$;
