-- The sweep: expires orders for which no attempt was ever opened, of any merchants, in one call. It decides nothing: the table of
-- orders in packages/core has decided the move, and this function compares and sets. packages/store/src/orders/lapsed-orders.ts calls it.
--
-- The members of the lists belong together by their place. `p_group` is the merchant by whom a cluster finds where all of them lie.
-- Each member names its merchant.
--
-- It claims each order for its own transaction, and never waits: one that another transaction has locked is `held`. One that is not, any
-- more, as its caller read it is `changed`. Nothing is written for either.
create function expire_untouched(
  p_group text, p_from text, p_to text, p_close_reason text, p_due timestamptz, p_now timestamptz, p_entry text,
  p_mch_no text[], p_transaction_no text[], p_mac bytea[]
) returns table (place int, what text) language plpgsql as $$
declare
  was orders;
  hash bytea;
begin
  for place in
    select t.place from unnest(p_mch_no, p_transaction_no) with ordinality as t (mch_no, transaction_no, place)
     order by t.mch_no, t.transaction_no, t.place
  loop
    select * into was from orders o where o.mch_no = p_mch_no[place] and o.transaction_no = p_transaction_no[place]
       for update skip locked;
    what := case when not found then 'held'
                 when was.state = p_from and was.attempts = 0 and was.time_expire <= p_due then 'moved'
                 else 'changed' end;
    if what = 'moved' then
      hash := sha256(was.head_hash || convert_to(p_entry, 'UTF8'));
      update orders o set state = p_to, close_reason = p_close_reason, head_seq = was.head_seq + 1, head_hash = hash,
             changed_at = p_now, closed_at = case when p_to = 'CLOSED' then p_now end
       where o.mch_no = was.mch_no and o.transaction_no = was.transaction_no;
      insert into timeline (mch_no, transaction_no, seq, at, entry, hash, mac)
      values (was.mch_no, was.transaction_no, was.head_seq + 1, p_now, p_entry, hash, p_mac[place]);
    end if;
    return next;
  end loop;
end
$$;
