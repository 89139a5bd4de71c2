-- An order's number that was archived is never used again. `place_orders` as in 0030, and after each insert a look at what was archived:
-- before it, a number that is being archived in the same moment would be missed. The unique index of orders makes an insert wait for
-- whoever removes the order of this number, who writes its number into archived_order in the same transaction.
create or replace function place_orders(
  p_group text, p_mch_no text[], p_transaction_no text[], p_app_no text[], p_mch_trade_no text[], p_description text[],
  p_amount_fen bigint[], p_extra text[], p_notify_url text[], p_asked_expire timestamptz[], p_time_expire timestamptz[],
  p_nonce text[], p_entry text[], p_hash bytea[], p_mac bytea[], p_now timestamptz[]
) returns table (place int, is_enabled boolean, is_nonce_fresh boolean, is_placed boolean) language plpgsql as $$
begin
  for place in
    select t.place from unnest(p_mch_no, p_mch_trade_no) with ordinality as t (mch_no, mch_trade_no, place)
     order by t.mch_no, t.mch_trade_no, t.place
  loop
    is_nonce_fresh := true;
    is_placed := false;
    select a.enabled into is_enabled from app a where a.mch_no = p_mch_no[place] and a.app_no = p_app_no[place];
    if p_nonce[place] is not null then
      insert into nonce (mch_no, nonce, used_at) values (p_mch_no[place], p_nonce[place], p_now[place])
      on conflict do nothing;
      is_nonce_fresh := found;
    end if;
    if is_enabled and is_nonce_fresh then
      insert into orders (mch_no, transaction_no, app_no, mch_trade_no, description, amount_fen, currency, extra, notify_url,
        asked_expire, time_expire, state, head_seq, head_hash, created_at, changed_at)
      values (p_mch_no[place], p_transaction_no[place], p_app_no[place], p_mch_trade_no[place], p_description[place],
        p_amount_fen[place], 'CNY', p_extra[place], p_notify_url[place], p_asked_expire[place], p_time_expire[place], 'NOTPAY',
        1, p_hash[place], p_now[place], p_now[place])
      on conflict do nothing;
      is_placed := found;
    end if;
    if is_placed and exists (select from archived_order g
                              where g.mch_no = p_mch_no[place] and g.mch_trade_no = p_mch_trade_no[place]) then
      delete from orders o where o.mch_no = p_mch_no[place] and o.transaction_no = p_transaction_no[place];
      is_placed := false;
    end if;
    if is_placed then
      insert into timeline (mch_no, transaction_no, seq, at, entry, hash, mac)
      values (p_mch_no[place], p_transaction_no[place], 1, p_now[place], p_entry[place], p_hash[place], p_mac[place]);
    end if;
    return next;
  end loop;
end
$$;
