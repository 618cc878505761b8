create table parley.users (
  id text primary key,
  username text not null,
  password_hash text not null,
  created_at bigint not null,
  tokens_valid_from bigint not null default 0,
  removed_at bigint,
  erases_messages boolean not null default false,
  leaves_rooms boolean not null default false
);
create unique index users_username_unique on parley.users (lower(username collate "C"));
create index users_erases_messages on parley.users (id) where erases_messages;
create index users_leaves_rooms on parley.users (id) where leaves_rooms;

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
