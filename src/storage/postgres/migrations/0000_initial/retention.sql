-- Removes the oldest messages through a sequence.
create function parley.trim_log(p_through bigint) returns void language plpgsql as $$
begin
  perform set_config('parley.trimming', 'on', true);
  -- Rows of messages first, as every other deletion, so that two of them cannot wait for each other.
  delete from parley.messages where sequence <= p_through;
  update parley.message_log set trimmed_through = greatest(trimmed_through, p_through);
  perform set_config('parley.trimming', 'off', true);
end $$;

-- Removes the oldest entries of all rooms through a sequence, and what they leave behind: ended memberships and rooms.
create function parley.trim_entries(p_through bigint) returns void language plpgsql as $$
declare
  forgotten bigint;
  trimmed bigint[];
begin
  -- Changes of rooms change the same rows, so they wait for each other.
  perform pg_advisory_xact_lock(1885434988, 1);
  perform set_config('parley.trimming', 'on', true);
  with last as (
    select room, max(sequence) as sequence from parley.entries where sequence <= p_through group by room
  ), marked as (
    update parley.rooms r set trimmed_through = last.sequence from last where r.number = last.room returning r.number
  )
  select coalesce(array_agg(number), '{}') into strict trimmed from marked;
  delete from parley.entries where sequence <= p_through;
  with ended as (
    delete from parley.memberships m using parley.rooms r
    where r.number = any(trimmed) and m.room = r.number and m.through_sequence <= r.trimmed_through
    returning m.through_sequence
  )
  select coalesce(max(through_sequence), 0) into strict forgotten from ended;
  delete from parley.rooms where ended_at <= p_through;
  update parley.message_log set removed_through = greatest(removed_through, p_through),
    forgotten_through = greatest(forgotten_through, forgotten);
  perform set_config('parley.trimming', 'off', true);
end $$;
