-- The cheap close: moves orders for which no attempt was ever opened, of any merchants, in one call. It decides nothing: the table of
-- orders in packages/core has decided the move, and this function compares and sets. packages/store/src/orders/untouched-orders.ts calls it.
--
-- The members of the lists belong together by their place. `p_group` is the merchant by whom a cluster finds where all of them lie.
-- Each member names its merchant and one of its order's two numbers.
--
-- It never waits for an order: one that somebody else has locked is `involved`, as one with attempts or past its expiry is, and then nothing
-- is written for that member, not even its nonce. It may wait for a nonce, and takes them in their order, so that two calls do not deadlock.
create function move_untouched(
  p_group text, p_from text, p_to text, p_close_reason text, p_now timestamptz,
  p_mch_no text[], p_nonce text[], p_entry text[], p_mac bytea[], p_transaction_no text[], p_mch_trade_no text[]
) returns table (place int, what text, was orders) language plpgsql as $$
declare
  number text;
  hash bytea;
begin
  for place in
    select t.place from unnest(p_mch_no, p_nonce) with ordinality as t (mch_no, nonce, place)
     order by t.mch_no, t.nonce, t.place
  loop
    number := p_transaction_no[place];
    if number is null then
      select o.transaction_no into number from orders o
       where o.mch_no = p_mch_no[place] and o.mch_trade_no = p_mch_trade_no[place];
    end if;
    select * into was from orders o where o.mch_no = p_mch_no[place] and o.transaction_no = number for update skip locked;
    if found then
      what := case when was.state = p_from and was.attempts = 0 and was.time_expire > p_now then 'moved'
                   when was.state in ('NOTPAY', 'CLOSING') then 'involved'
                   else 'unchanged' end;
    elsif exists (select from orders o where o.mch_no = p_mch_no[place] and o.transaction_no = number) then
      what := 'involved';
    else
      what := 'absent';
    end if;
    if what <> 'involved' then
      insert into nonce (mch_no, nonce, used_at) values (p_mch_no[place], p_nonce[place], p_now) on conflict do nothing;
      if not found then what := 'nonce_used'; end if;
    end if;
    if what = 'moved' then
      hash := sha256(was.head_hash || convert_to(p_entry[place], 'UTF8'));
      update orders o set state = p_to, close_reason = p_close_reason, head_seq = was.head_seq + 1, head_hash = hash,
             changed_at = p_now, closed_at = case when p_to = 'CLOSED' then p_now end
       where o.mch_no = p_mch_no[place] and o.transaction_no = number;
      insert into timeline (mch_no, transaction_no, seq, at, entry, hash, mac)
      values (p_mch_no[place], number, was.head_seq + 1, (p_entry[place]::json ->> 'at')::timestamptz, p_entry[place], hash,
              p_mac[place]);
    end if;
    return next;
  end loop;
end
$$;
