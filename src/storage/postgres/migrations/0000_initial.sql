create table parley.users (
  id text primary key,
  username text not null,
  password_hash text not null,
  created_at bigint not null,
  tokens_valid_from bigint not null default 0,
  removed_at bigint,
  erases_messages boolean not null default false
);
create unique index users_username_unique on parley.users (lower(username collate "C"));
create index users_erases_messages on parley.users (id) where erases_messages;

create table parley.revoked_tokens (
  id text primary key,
  expires_at bigint not null
);
create index revoked_tokens_expires_at on parley.revoked_tokens (expires_at);

-- Failed logins. Losing them in a crash of the server is acceptable, so the table is not written to the WAL.
create unlogged table parley.login_failures (
  username_hash bytea primary key,
  failures integer not null,
  -- Seconds since the epoch.
  attempted_at double precision not null
);
create index login_failures_attempted_at on parley.login_failures (attempted_at);

create table parley.message_log (
  id integer primary key,
  epoch text not null,
  -- See log_origin.
  origin text,
  trimmed_through bigint not null default 0,
  removed_through bigint not null default 0,
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
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (session, batch)
);
create index append_batches_recorded_at on parley.append_batches (recorded_at);

-- One row: the number of changes of each kind. Each change increments its number in its own transaction, and the
-- lock of the row makes the order of the numbers the order of the commits. A node that knows a number knows all
-- changes up to it.
create table parley.change_feed (
  id integer primary key,
  accounts bigint not null default 0,
  removals bigint not null default 0,
  constraint change_feed_one_row check (id = 1)
);
insert into parley.change_feed (id) values (1);

-- Triggers, so that changes by psql and other programs count, too. Per statement: a statement that changes a
-- thousand rows is one change.
create function parley.count_account_change() returns trigger language plpgsql as $$
begin
  if exists (select 1 from changed) then
    update parley.change_feed set accounts = accounts + 1;
    perform pg_notify('parley', 'accounts');
  end if;
  return null;
end $$;
create trigger users_updated after update on parley.users
  referencing new table as changed for each statement execute function parley.count_account_change();
create trigger users_deleted after delete on parley.users
  referencing old table as changed for each statement execute function parley.count_account_change();
create trigger tokens_revoked after insert on parley.revoked_tokens
  referencing new table as changed for each statement execute function parley.count_account_change();

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

-- The sequence of the newest message, even if it has been removed. One statement, so one snapshot: a trim between
-- two statements could otherwise hide the newest message without its sequence counting as used.
create function parley.log_head() returns bigint language sql stable as $$
  select greatest(trimmed_through, removed_through,
    coalesce((select sequence from parley.messages order by sequence desc limit 1), 0))
  from parley.message_log
$$;

-- Where the log is: the cluster, the database and the table, and after a colon the timeline, which each recovery and
-- each promotion of a standby increments. If it changes, the log may lack messages that clients have received. Null if
-- the server does not tell, or is a replica.
create function parley.log_origin() returns text language plpgsql stable as $$
begin
  if pg_is_in_recovery() then
    return null;
  end if;
  return (select system_identifier from pg_control_system())
    || '/' || (select oid from pg_database where datname = current_database())
    || '/' || 'parley.message_log'::regclass::oid
    || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
exception when insufficient_privilege or undefined_function or feature_not_supported then
  return null;
end $$;

-- Stores a batch in one statement, which is one transaction and one round trip.
--
-- outcomes: empty if all messages are new and were stored in their order. Otherwise one number per message: its
-- sequence if it is new; the negated sequence of the message that was stored earlier with the same key; 0 if that
-- message is a different one.
create function parley.append_batch(
  p_session text, p_batch bigint, p_user_ids text[], p_usernames text[], p_keys text[], p_messages text[],
  out o_previous bigint, out o_head bigint, out o_sent_at bigint, out o_outcomes bigint[]
) language plpgsql
  -- A plan that is made while the table is small would otherwise scan it for ever. The setting makes plans that
  -- have to scan look expensive, and PostgreSQL would compile them, which takes 60 ms.
  set enable_seqscan = off
  set jit = off
as $$
declare
  recorded parley.append_batches;
  newest_sent_at bigint;
  now_ms bigint;
begin
  -- All appends of all nodes wait here for each other. The lock is held until the commit is durable and visible, so
  -- the order of the commits is the order of the sequences, and a reader that sees a message sees all earlier ones.
  perform pg_advisory_xact_lock(1885434988, 1);

  select * into recorded from parley.append_batches where session = p_session and batch = p_batch;
  if found then
    if recorded.outcomes is null then
      raise exception 'the batch was given up' using errcode = 'PA001';
    end if;
    o_previous := recorded.previous;
    o_head := recorded.head;
    o_sent_at := recorded.sent_at;
    o_outcomes := recorded.outcomes;
    return;
  end if;
  if exists (select 1 from parley.append_batches where session = p_session and batch > p_batch) then
    raise exception 'a later batch was stored' using errcode = 'PA002';
  end if;

  select greatest(l.trimmed_through, l.removed_through, coalesce(m.sequence, 0)), coalesce(m.sent_at, 0)
    into strict o_previous, newest_sent_at
    from parley.message_log l
    left join lateral (select sequence, sent_at from parley.messages order by sequence desc limit 1) m on true;
  now_ms := floor(extract(epoch from clock_timestamp()) * 1000);
  -- The clock does not go back over messages, unless it was wrong by more than an hour.
  o_sent_at := case when newest_sent_at - now_ms > 3600000 then now_ms else greatest(now_ms, newest_sent_at) end;

  if array_remove(p_keys, null) = '{}' then
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

  insert into parley.append_batches (session, batch, previous, head, sent_at, outcomes)
    values (p_session, p_batch, o_previous, o_head, o_sent_at, o_outcomes);
  if o_head > o_previous then
    perform pg_notify('parley', 'head ' || o_head || ' ' || p_session);
  end if;
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

-- Removes the oldest messages through a sequence.
create function parley.trim_log(p_through bigint) returns void language plpgsql as $$
begin
  perform set_config('parley.trimming', 'on', true);
  -- Rows of messages first, as every other deletion, so that two of them cannot wait for each other.
  delete from parley.messages where sequence <= p_through;
  update parley.message_log set trimmed_through = greatest(trimmed_through, p_through);
  perform set_config('parley.trimming', 'off', true);
end $$;

-- Decides a login attempt: returns the seconds to wait, or 0 and counts the attempt as failed.
create function parley.attempt_login(
  p_username_hash bytea, p_now double precision,
  p_free_failures integer, p_first_wait double precision, p_longest_wait double precision,
  p_forgotten_after double precision
) returns double precision language plpgsql as $$
declare
  attempt_at double precision := coalesce(p_now, extract(epoch from clock_timestamp()));
  found_row parley.login_failures;
  wait double precision := 0;
begin
  insert into parley.login_failures values (p_username_hash, 0, attempt_at) on conflict do nothing;
  select * into strict found_row from parley.login_failures where username_hash = p_username_hash for update;
  if found_row.attempted_at + p_forgotten_after <= attempt_at then
    found_row.failures := 0;
  end if;
  if found_row.failures >= p_free_failures then
    -- The exponent is limited, so that the power cannot overflow.
    wait := found_row.attempted_at - attempt_at
      + least(p_longest_wait, p_first_wait * 2 ^ least(found_row.failures - p_free_failures, 60));
  end if;
  if wait > 0 then
    return wait;
  end if;
  update parley.login_failures set failures = found_row.failures + 1, attempted_at = attempt_at
    where username_hash = p_username_hash;
  return 0;
end $$;
