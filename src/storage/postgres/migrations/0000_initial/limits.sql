-- Rate limits and open WebSockets of all nodes. Losing them in a crash of the server is acceptable, so the tables are
-- not written to the WAL. All times are seconds since the epoch by the clock of this server; nodes only exchange
-- durations with it, so their clocks may differ.

-- The nodes, by a random id of each process. A node that was not heard of recently has ended.
create unlogged table parley.limit_nodes (
  session text primary key,
  -- The last batch of counts. A batch whose response was lost is sent again with the same number.
  batch bigint not null,
  seen_at double precision not null
);

create unlogged table parley.request_counts (
  -- A keyed hash of the policy and the client.
  key text collate "C" primary key,
  count integer not null,
  expires_at double precision not null
) with (fillfactor = 70);
create index request_counts_expires_at on parley.request_counts (expires_at);

-- How many WebSockets of a user are open on a node. A row counts as long as its node does.
create unlogged table parley.socket_counts (
  -- A keyed hash of the user's id.
  key text collate "C",
  session text,
  held integer not null,
  primary key (key, session)
);
create index socket_counts_session on parley.socket_counts (session);

-- Records that a node is running. known: whether its data was still here, which it is not after a crash.
create function parley.see_limit_node(
  p_session text, p_at double precision, p_lifetime double precision,
  out o_known boolean, out o_nodes integer
) language plpgsql as $$
begin
  update parley.limit_nodes set seen_at = p_at where session = p_session;
  o_known := found;
  if not o_known then
    insert into parley.limit_nodes values (p_session, 0, p_at);
  end if;
  select count(*) into o_nodes from parley.limit_nodes where seen_at > p_at - p_lifetime;
end $$;

-- Adds the counts of one batch, unless it was added before, and returns the totals. The keys are in ascending order
-- and distinct, so that two nodes that count the same clients cannot wait for each other.
--
-- p_seconds: how long the window lasts if this batch starts it. o_seconds: how long it lasts in any case.
create function parley.count_requests(
  p_session text, p_batch bigint, p_now double precision, p_lifetime double precision,
  p_keys text[], p_counts integer[], p_seconds double precision[],
  out o_known boolean, out o_nodes integer, out o_totals integer[], out o_seconds double precision[]
) language plpgsql as $$
declare
  at double precision := coalesce(p_now, extract(epoch from clock_timestamp()));
  is_new boolean;
begin
  select s.o_known, s.o_nodes into o_known, o_nodes from parley.see_limit_node(p_session, at, p_lifetime) s;
  -- The row of the node is locked, so a repeated batch waits for the first one.
  update parley.limit_nodes set batch = p_batch where session = p_session and batch < p_batch;
  is_new := found;
  with counted as (
    insert into parley.request_counts as c (key, count, expires_at)
      select n.key, case when is_new then n.count else 0 end, at + n.seconds
      from unnest(p_keys, p_counts, p_seconds) with ordinality as n (key, count, seconds, place)
      order by n.place
    on conflict (key) do update set
      count = case when c.expires_at <= at then excluded.count
        -- Limited, so that the sum cannot overflow.
        else least(c.count::bigint + excluded.count, 2000000000)::integer end,
      expires_at = case when c.expires_at <= at then excluded.expires_at else c.expires_at end
    returning c.key, c.count, c.expires_at
  )
  select array_agg(count order by key), array_agg(expires_at - at order by key)
    into o_totals, o_seconds from counted;
end $$;

-- Records how many WebSockets of each user a node holds, and grants those that it wants in addition, up to the limit
-- of all nodes. Sending the same numbers again changes nothing, so a lost response does no harm.
create function parley.hold_sockets(
  p_session text, p_now double precision, p_lifetime double precision, p_limit integer,
  p_keys text[], p_held integer[], p_wanted integer[],
  out o_known boolean, out o_nodes integer, out o_granted integer[]
) language plpgsql as $$
declare
  at double precision := coalesce(p_now, extract(epoch from clock_timestamp()));
  others bigint;
  granted integer;
begin
  -- Otherwise two nodes could both take the last place.
  perform pg_advisory_xact_lock(1885434988, 4);
  select s.o_known, s.o_nodes into o_known, o_nodes from parley.see_limit_node(p_session, at, p_lifetime) s;
  o_granted := '{}';
  for i in 1 .. cardinality(p_keys) loop
    select coalesce(sum(c.held), 0) into others
      from parley.socket_counts c join parley.limit_nodes n using (session)
      where c.key = p_keys[i] and c.session <> p_session and n.seen_at > at - p_lifetime;
    granted := greatest(p_held[i], least(p_wanted[i], p_limit - others));
    if granted > 0 then
      insert into parley.socket_counts values (p_keys[i], p_session, granted)
      on conflict (key, session) do update set held = excluded.held;
    else
      delete from parley.socket_counts where key = p_keys[i] and session = p_session;
    end if;
    o_granted := o_granted || granted;
  end loop;
end $$;
