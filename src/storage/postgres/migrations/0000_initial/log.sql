create table parley.message_log (
  id integer primary key,
  epoch text not null,
  -- See log_origin.
  origin text,
  trimmed_through bigint not null default 0,
  removed_through bigint not null default 0,
  -- Memberships that ended up to this sequence were deleted, together with all of their entries.
  forgotten_through bigint not null default 0,
  constraint message_log_one_row check (id = 1)
);

-- The frame of a message is built from its row, so that it is the same on every node.
create table parley.messages (
  sequence bigint primary key,
  user_id text not null,
  username text not null,
  idempotency_key text,
  -- Milliseconds since the epoch.
  sent_at bigint not null,
  -- The text as JSON, including the quotes: PostgreSQL cannot store the character U+0000.
  message text not null
);
create unique index messages_idempotency_key_unique on parley.messages (user_id, idempotency_key)
  where idempotency_key is not null;

-- What became of the last batches of each process. A batch whose response was lost is asked for again.
create table parley.append_batches (
  session text not null,
  batch bigint not null,
  previous bigint not null,
  head bigint not null,
  sent_at bigint not null,
  -- See append_batch. Null if the batch was given up: it will never be stored.
  outcomes bigint[],
  -- The numbers of the rooms of the messages; null for a message to all users.
  rooms bigint[],
  -- What a change of rooms has resulted in, as JSON. Null for batches of messages.
  result text,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (session, batch)
);
create index append_batches_recorded_at on parley.append_batches (recorded_at);

-- The through_sequence of a membership that has not ended: the largest integer that JavaScript represents exactly.
create function parley.open_end() returns bigint language sql immutable as 'select 9007199254740991';

create table parley.rooms (
  -- The sequence of the first entry, so that it is never assigned again.
  number bigint primary key,
  id text collate "C" not null,
  -- The name as JSON, including the quotes: PostgreSQL cannot store the character U+0000.
  name text not null,
  public boolean not null,
  history text not null,
  -- Both user ids of a direct room.
  direct_pair text,
  created_by text not null,
  idempotency_key text,
  -- The request that came with the key, so that another one can be recognised.
  request text,
  -- The highest sequence of the entries that the retention limits have removed.
  trimmed_through bigint not null default 0,
  -- Set once the room is removed: its last sequence. The row is deleted with the last entry.
  ended_at bigint
);
create unique index rooms_id_unique on parley.rooms (id);
create unique index rooms_direct_pair_unique on parley.rooms (direct_pair) where direct_pair is not null;
create unique index rooms_idempotency_key_unique on parley.rooms (created_by, idempotency_key)
  where idempotency_key is not null;
create index rooms_public on parley.rooms (id) where public and ended_at is null;
create index rooms_ended on parley.rooms (ended_at) where ended_at is not null;

-- The messages and events of rooms. They share the sequences of `messages`.
create table parley.entries (
  sequence bigint primary key,
  room bigint not null,
  -- The only user who receives the entry; null for all members.
  audience text,
  kind text not null,
  -- The author of a message, or the user whom an event concerns.
  user_id text,
  idempotency_key text,
  -- Milliseconds since the epoch.
  sent_at bigint not null,
  -- The properties of the frame between `id` and `sentAt`, as JSON without the braces.
  body text not null
);
create index entries_room on parley.entries (room, sequence);
create unique index entries_idempotency_key_unique on parley.entries (user_id, room, idempotency_key)
  where idempotency_key is not null;

-- The times when users are members of rooms, in sequences of the log; both ends are included.
create table parley.memberships (
  user_id text collate "C" not null,
  room bigint not null,
  from_sequence bigint not null,
  through_sequence bigint not null,
  role text not null,
  primary key (user_id, room, from_sequence)
);
create index memberships_room on parley.memberships (room, through_sequence, user_id);

-- Changes of rooms that commands have requested. A node carries them out in this order.
create table parley.room_requests (
  id bigint generated always as identity primary key,
  -- JSON.
  request text not null
);

-- Whatever deletes messages, their sequences are not assigned again, and the nodes forget their copies. Trimming does
-- not count: it happens all the time, and trimmed_through covers its sequences.
create function parley.record_removal() returns trigger language plpgsql as $$
declare
  highest bigint := (select max(sequence) from removed);
begin
  if highest is not null and coalesce(current_setting('parley.trimming', true), '') <> 'on' then
    update parley.message_log set removed_through = greatest(removed_through, highest);
    update parley.change_feed set removals = removals + 1;
    perform pg_notify('parley', 'removals');
  end if;
  return null;
end $$;
create trigger messages_deleted after delete on parley.messages
  referencing old table as removed for each statement execute function parley.record_removal();
create trigger entries_deleted after delete on parley.entries
  referencing old table as removed for each statement execute function parley.record_removal();

-- The sequence of the newest message, even if it has been removed. One statement, so one snapshot: a trim between
-- two statements could otherwise hide the newest message without its sequence counting as used.
create function parley.log_head() returns bigint language sql stable as $$
  select greatest(trimmed_through, removed_through,
    coalesce((select sequence from parley.messages order by sequence desc limit 1), 0),
    coalesce((select sequence from parley.entries order by sequence desc limit 1), 0))
  from parley.message_log
$$;

-- Where the log is: the cluster, the database and the table. A copy of the database is at another place. Some hosting
-- providers do not let a role read the identifier of the cluster, which is then `unknown`.
create function parley.log_place() returns text language plpgsql stable as $$
declare
  cluster text := 'unknown';
begin
  begin
    cluster := (select system_identifier from pg_control_system());
  exception when insufficient_privilege or undefined_function or feature_not_supported then
    null;
  end;
  return cluster || '/' || (select oid from pg_database where datname = current_database())
    || '/' || 'parley.message_log'::regclass::oid;
end $$;

-- The place of the log and, after a colon, the timeline, which each recovery and each promotion of a standby
-- increments. If it changes, the log may lack messages that clients have received. Null if the identifier of the
-- cluster cannot be read, or if the server is a replica.
create function parley.log_origin() returns text language plpgsql stable as $$
declare
  place text := parley.log_place();
begin
  if pg_is_in_recovery() or place like 'unknown/%' then
    return null;
  end if;
  return place || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
exception when insufficient_privilege or undefined_function or feature_not_supported then
  return null;
end $$;
