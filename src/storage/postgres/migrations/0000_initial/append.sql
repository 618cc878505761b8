-- Takes the lock of the log for a batch. Returns what was recorded if the batch has been stored before. Otherwise, the
-- head is null, and the place of the batch is after `previous`.
--
-- The settings of the caller apply, see append_batch: settings of the function would take time in each batch.
create function parley.begin_batch(p_session text, p_batch bigint) returns parley.append_batches language plpgsql as $$
declare
  recorded parley.append_batches;
  newest_sent_at bigint;
  now_ms bigint;
begin
  -- All appends of all nodes wait here for each other. The lock is held until the commit is durable and visible, so
  -- the order of the commits is the order of the sequences, and a reader that sees a message sees all earlier ones.
  perform pg_advisory_xact_lock(1885434988, 1);

  -- The batch, or a later one of its process.
  select * into recorded from parley.append_batches b
    where b.session = p_session and b.batch >= p_batch order by b.batch limit 1;
  if recorded.batch > p_batch then
    raise exception 'a later batch was stored' using errcode = 'PA002';
  elsif recorded.batch = p_batch then
    if recorded.outcomes is null then
      raise exception 'the batch was given up' using errcode = 'PA001';
    end if;
    return recorded;
  end if;

  select greatest(l.trimmed_through, l.removed_through, coalesce(m.sequence, 0), coalesce(e.sequence, 0)),
      greatest(m.sent_at, e.sent_at, 0)
    into strict recorded.previous, newest_sent_at
    from parley.message_log l
    left join lateral (select m.sequence, m.sent_at from parley.messages m order by m.sequence desc limit 1) m on true
    left join lateral (select e.sequence, e.sent_at from parley.entries e order by e.sequence desc limit 1) e on true;
  now_ms := floor(extract(epoch from clock_timestamp()) * 1000);
  -- The clock does not go back over messages, unless it was wrong by more than an hour.
  recorded.sent_at := case
    when newest_sent_at - now_ms > 3600000 then now_ms
    else greatest(now_ms, newest_sent_at)
  end;
  return recorded;
end $$;

-- Records a batch that was stored, and notifies the nodes.
create function parley.finish_batch(
  p_session text, p_batch bigint, p_previous bigint, p_head bigint, p_sent_at bigint, p_outcomes bigint[],
  p_rooms bigint[], p_result text
) returns void language plpgsql as $$
begin
  insert into parley.append_batches (session, batch, previous, head, sent_at, outcomes, rooms, result)
    values (p_session, p_batch, p_previous, p_head, p_sent_at, p_outcomes, p_rooms, p_result);
  if p_head > p_previous then
    perform pg_notify('parley', 'head ' || p_head || ' ' || p_session);
  end if;
end $$;

-- The part of append_batch for a batch with messages to rooms. Whether the sender is a member is decided here, at the
-- place of the message in the log. In a direct room, the other one has to be a member as well.
create function parley.append_with_rooms(
  p_previous bigint, p_sent_at bigint,
  p_user_ids text[], p_usernames text[], p_keys text[], p_messages text[], p_rooms text[],
  out head bigint, out outcomes bigint[], out rooms bigint[]
) language plpgsql as $$
begin
  with given as (
    select x.*, r.number, x.room is not null and r.number is null as is_refused
    from unnest(p_user_ids, p_usernames, p_keys, p_messages, p_rooms) with ordinality
      as x (user_id, username, key, message, room, i)
    left join parley.rooms r on r.id = x.room and r.ended_at is null
      and exists (
        select 1 from parley.memberships m
        where m.user_id = x.user_id and m.room = r.number and m.through_sequence = parley.open_end()
      )
      and (r.direct_pair is null or 2 = (
        select count(*) from parley.memberships m where m.room = r.number and m.through_sequence = parley.open_end()
      ))
  ), known as (
    select given.*,
      case when number is null then stored.sequence else entry.sequence end as stored_sequence,
      case when number is null then stored.message else entry.body end as stored_message,
      row_number() over same_key as nth, first_value(given.message) over same_key as first_message
    from given
    left join lateral (
      select sequence, message from parley.messages
      where user_id = given.user_id and idempotency_key = given.key limit 1
    ) stored on given.key is not null and given.room is null
    left join lateral (
      select sequence, body from parley.entries
      where user_id = given.user_id and entries.room = given.number and idempotency_key = given.key limit 1
    ) entry on given.key is not null and given.number is not null
    window same_key as (partition by given.user_id, given.number, given.is_refused, given.key order by given.i)
  ), marked as (
    select *, not is_refused and (key is null or (stored_sequence is null and nth = 1)) as is_new from known
  ), placed as (
    select *, case when is_new then p_previous + row_number() over (partition by is_new order by i) end as sequence
    from marked
  ), resolved as (
    select *, first_value(sequence) over (partition by user_id, number, is_refused, key order by i) as first_sequence
    from placed
  ), added_messages as (
    insert into parley.messages
      select sequence, user_id, username, key, p_sent_at, message from placed
      where is_new and number is null order by sequence
  ), added_entries as (
    insert into parley.entries (sequence, room, kind, user_id, idempotency_key, sent_at, body)
      select sequence, number, 'message', user_id, key, p_sent_at, message from placed
      where is_new and number is not null order by sequence
  )
  select coalesce(max(sequence), p_previous),
    array_agg(case
      when is_refused then null
      when is_new then sequence
      when stored_sequence is not null then case when stored_message = message then -stored_sequence else 0 end
      when first_message = message then -first_sequence
      else 0
    end order by i),
    array_agg(number order by i)
    into strict head, outcomes, rooms
    from resolved;
end $$;

-- Stores a batch in one statement, which is one transaction and one round trip.
--
-- p_rooms: null if all messages are to all users. Otherwise the room of each message; null for a message to all users.
-- p_messages: the JSON text of the message to all users, and the body of a message to a room (see entries).
-- outcomes: empty if all messages are new and were stored in their order. Otherwise one number per message: its
-- sequence if it is new; the negated sequence of the message that was stored earlier with the same key; 0 if that
-- message is a different one; null if the sender may not send to the room.
create function parley.append_batch(
  p_session text, p_batch bigint, p_user_ids text[], p_usernames text[], p_keys text[], p_messages text[],
  p_rooms text[],
  out o_previous bigint, out o_head bigint, out o_sent_at bigint, out o_outcomes bigint[],
  out o_rooms bigint[]
) language plpgsql
  -- A plan that is made while the table is small would otherwise scan it for ever. The setting makes plans that
  -- have to scan look expensive, and PostgreSQL would compile them, which takes 60 ms.
  set enable_seqscan = off
  set jit = off
as $$
declare
  place parley.append_batches;
begin
  place := parley.begin_batch(p_session, p_batch);
  o_previous := place.previous;
  o_sent_at := place.sent_at;
  if place.head is not null then
    o_head := place.head;
    o_outcomes := place.outcomes;
    o_rooms := place.rooms;
    return;
  end if;

  if p_rooms is not null then
    select o.head, o.outcomes, o.rooms into strict o_head, o_outcomes, o_rooms
      from parley.append_with_rooms(
        o_previous, o_sent_at, p_user_ids, p_usernames, p_keys, p_messages, p_rooms) o;
  elsif array_remove(p_keys, null) = '{}' then
    insert into parley.messages
      select o_previous + i, user_id, username, null, o_sent_at, message
      from unnest(p_user_ids, p_usernames, p_messages) with ordinality as given (user_id, username, message, i);
    o_head := o_previous + cardinality(p_messages);
    o_outcomes := '{}';
  else
    with given as (
      select * from unnest(p_user_ids, p_usernames, p_keys, p_messages) with ordinality
        as x (user_id, username, key, message, i)
    ), known as (
      select given.*, stored.sequence as stored_sequence, stored.message as stored_message,
        row_number() over same_key as nth, first_value(given.message) over same_key as first_message
      from given
      left join lateral (
        select sequence, message from parley.messages
        where user_id = given.user_id and idempotency_key = given.key limit 1
      ) stored on given.key is not null
      window same_key as (partition by given.user_id, given.key order by given.i)
    ), marked as (
      select *, key is null or (stored_sequence is null and nth = 1) as is_new from known
    ), placed as (
      select *, case when is_new then o_previous + row_number() over (partition by is_new order by i) end as sequence
      from marked
    ), resolved as (
      select *, first_value(sequence) over (partition by user_id, key order by i) as first_sequence from placed
    ), added as (
      insert into parley.messages
        select sequence, user_id, username, key, o_sent_at, message from placed where is_new order by sequence
    )
    select coalesce(max(sequence), o_previous),
      array_agg(case
        when is_new then sequence
        when stored_sequence is not null then case when stored_message = message then -stored_sequence else 0 end
        when first_message = message then -first_sequence
        else 0
      end order by i)
      into strict o_head, o_outcomes
      from resolved;
  end if;

  perform parley.finish_batch(p_session, p_batch, o_previous, o_head, o_sent_at, o_outcomes, o_rooms, null);
end $$;

-- Gives up a batch whose outcome is unknown: an attempt that arrives later is refused.
-- Returns false if the batch has been stored.
create function parley.give_up_batch(p_session text, p_batch bigint) returns boolean language plpgsql as $$
declare
  recorded parley.append_batches;
begin
  perform pg_advisory_xact_lock(1885434988, 1);
  select * into recorded from parley.append_batches where session = p_session and batch = p_batch;
  if found then
    return recorded.outcomes is null;
  end if;
  insert into parley.append_batches (session, batch, previous, head, sent_at, outcomes)
    values (p_session, p_batch, 0, 0, 0, null);
  return true;
end $$;
