-- Moves attempts that are proven closed as their table says, each with the job that watches it, and writes down what upstreams said last. The caller
-- has locked the order. It decides nothing: `p_was` and `p_becomes` are the table's. Answers the states of all attempts of the order afterwards.
-- packages/store/src/payments/attempts.ts calls it; plain statements, since Citus takes an insert below `with` to all its nodes.
create function shut_attempts(
  p_group text, p_transaction_no text, p_was text[], p_becomes text[], p_attempt_no text[], p_said_no text[], p_said text[],
  p_now timestamptz, p_watch_at timestamptz
) returns table (state text) language plpgsql as $$
declare
  one record;
  becomes text;
  said text;
begin
  for one in
    select a.attempt_no, a.state from attempt a
     where a.mch_no = p_group and a.transaction_no = p_transaction_no order by a.attempt_no
  loop
    becomes := case when one.attempt_no = any (p_attempt_no) then p_becomes[array_position(p_was, one.state)] end;
    said := p_said[array_position(p_said_no, one.attempt_no)];
    if becomes is not null or said is not null then
      update attempt a set state = coalesce(becomes, a.state), last_answer = coalesce(said, a.last_answer),
             changed_at = case when becomes is null then a.changed_at else p_now end,
             last_answer_at = case when said is null then a.last_answer_at else p_now end
       where a.mch_no = p_group and a.attempt_no = one.attempt_no;
    end if;
    if becomes is not null then
      insert into job (mch_no, kind, subject, due_at, tries, created_at)
      values (p_group, 'watch_attempt', one.attempt_no, p_watch_at, 1, p_now)
      on conflict do nothing;
    end if;
    state := coalesce(becomes, one.state);
    return next;
  end loop;
end
$$;
