-- Writes one step of an order that the caller has locked, its timeline entry, and what becomes of its job of this kind: held until `p_job_due_at`,
-- or removed where that is null. It decides nothing. No row: the order is not as the caller read it. packages/store/src/orders/orders.ts calls it.
create function move_order(
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
   where o.mch_no = p_group and o.transaction_no = p_transaction_no and o.state = p_from and o.head_seq = p_head_seq - 1;
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
