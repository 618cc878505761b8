-- Gives the message log a new name, after an older copy of the database took the place of a newer one:
-- ids that the lost messages had are then known as foreign, and not taken for those of new messages.
-- To be run on parley.sqlite while the service is stopped.
create temp table name as
  select incarnation as old, lower(hex(randomblob(4))) as new from message_log;
begin immediate;
update messages set frame = replace(frame,
  '{"event":"message","id":"' || (select old from name) || '-',
  '{"event":"message","id":"' || (select new from name) || '-');
update message_log set incarnation = (select new from name);
commit;
