import type { Mutant } from './list.ts'

const chats = 'src/chats'
const rooms = 'src/rooms'
const migration = 'src/storage/postgres/migrations/0000_initial'
const roomsTest = 'tests/storage/postgres-rooms.test.ts'
const nodesTest = 'tests/storage/postgres-nodes.test.ts'
const interruptionsTest = 'tests/storage/postgres-interruptions.test.ts'
const openEnd = String(Number.MAX_SAFE_INTEGER)

/** The log and the rooms in PostgreSQL: the order of all nodes, and who receives what. */
export const postgresRoomsMutants: readonly Mutant[] = [
  {
    id: 'postgres-appends-without-lock',
    breaks: 'The commits of all nodes have one order, and no sequence is assigned twice.',
    file: `${migration}/append.sql`,
    find: '  perform pg_advisory_xact_lock(1885434988, 1);\n\n  select * into recorded',
    replace: '  select * into recorded',
    tests: [nodesTest],
  },
  {
    id: 'postgres-forgets-stored-batches',
    breaks: 'A batch whose response was lost is not stored twice.',
    file: `${migration}/append.sql`,
    find: '  is_recorded := found;\n',
    replace: '  is_recorded := false;\n',
    tests: [interruptionsTest],
  },
  {
    id: 'postgres-changes-rooms-twice',
    breaks: 'A change of rooms whose response was lost is not made twice.',
    file: `${chats}/room-commit.postgres.ts`,
    find: '    if (place.recorded) {\n',
    replace: '    if (place.recorded && previous < 0) {\n',
    tests: [interruptionsTest],
  },
  {
    id: 'postgres-room-message-without-membership',
    breaks: 'Sending needs membership at the place of the message.',
    file: `${migration}/append.sql`,
    find: 'where m.user_id = x.user_id and m.room = r.number and m.through_sequence',
    replace: 'where m.room = r.number and m.through_sequence',
    tests: [roomsTest],
  },
  {
    id: 'postgres-membership-of-any-time',
    breaks: 'A former member can no longer send.',
    file: `${migration}/append.sql`,
    find: 'm.room = r.number and m.through_sequence = parley.open_end()\n      )\n      and',
    replace: 'm.room = r.number\n      )\n      and',
    tests: [roomsTest],
  },
  {
    id: 'postgres-unwanted-direct-message',
    breaks: 'A direct room that one user has left is closed.',
    file: `${migration}/append.sql`,
    find: 'r.direct_pair is null or 2 = (',
    replace: 'r.direct_pair is null or 0 < (',
    tests: [roomsTest],
  },
  {
    id: 'postgres-membership-of-now',
    breaks: 'A resume gives the times of the membership, not the rooms of now.',
    file: `${chats}/entry-statements.postgres.ts`,
    find: 'm.from_sequence <= e.sequence and m.through_sequence >= e.sequence',
    replace: `m.through_sequence = ${openEnd}`,
    tests: [roomsTest],
  },
  {
    id: 'postgres-entries-after-leaving',
    breaks: 'A resume ends a room with the event by which the user left.',
    file: `${chats}/entry-statements.postgres.ts`,
    find: 'e.sequence <= least($3::bigint, m.through_sequence)',
    replace: 'e.sequence <= $3::bigint',
    tests: [roomsTest],
  },
  {
    id: 'postgres-entries-before-joining',
    breaks: 'A resume starts a room with the event by which the user joined.',
    file: `${chats}/entry-statements.postgres.ts`,
    find: 'e.sequence > greatest($2::bigint, m.from_sequence - 1)',
    replace: 'e.sequence > $2::bigint',
    tests: [roomsTest],
  },
  {
    id: 'postgres-rooms-of-now',
    breaks: 'A resumed connection receives the rooms at its place of the log.',
    file: `${chats}/entry-statements.postgres.ts`,
    find: 'and from_sequence <= $2::bigint and through_sequence > $2::bigint',
    replace: `and $2::bigint = $2::bigint and through_sequence = ${openEnd}`,
    tests: [roomsTest],
  },
  {
    id: 'postgres-rooms-not-followed',
    breaks: 'A resume that takes entries from memory receives the rooms that the user joins in them.',
    file: `${chats}/view-reader.postgres.ts`,
    find: '    if (joins === userId) rooms.add(room)\n',
    replace: '',
    tests: [roomsTest],
  },
  {
    id: 'postgres-event-of-a-large-room-to-all',
    breaks: 'In a large room, only the user concerned receives an event about a member, also in a resume.',
    file: `${chats}/entry-statements.postgres.ts`,
    find: "'(e.audience is null or e.audience = $1)'",
    replace: "'(e.audience is null or $1 = $1)'",
    tests: [roomsTest],
  },
  {
    id: 'postgres-no-gap-for-a-room',
    breaks: 'A client learns of each room whose entries were removed.',
    file: `${chats}/view-reader.postgres.ts`,
    find: '      if (!reportGap(view, room.number, { through: room.through, after })) continue\n',
    replace: '      continue\n',
    tests: [roomsTest],
  },
  {
    id: 'postgres-private-room-visible',
    breaks: 'A private room looks like one that does not exist.',
    file: `${rooms}/rooms.postgres.ts`,
    find: 'return room.public === 1 || (await isMember($client, readerId, room.number)) ? room : undefined',
    replace: 'return room',
    tests: [roomsTest],
  },
  {
    id: 'postgres-joined-history-shows-all',
    breaks: 'Where the history is `joined`, it shows only the times of the membership.',
    file: `${chats}/history-reader.postgres.ts`,
    find: "room.public === 1 || room.history === 'all' ?",
    replace: 'room.number > 0 ?',
    tests: [roomsTest],
  },
  {
    id: 'postgres-account-stays-in-rooms',
    breaks: 'A user whose account was removed leaves all rooms.',
    file: `${rooms}/room-work.postgres.ts`,
    find: "      await log.change({ kind: 'end-account', userId: id })\n",
    replace: '',
    tests: [roomsTest],
  },
  {
    id: 'postgres-reads-before-writes',
    breaks: 'A change sees the changes before it in its transaction.',
    file: `${rooms}/room-store.postgres.ts`,
    find: '    flush()\n    return queryRows<Row>(sql, text, parameters)\n',
    replace: '    return queryRows<Row>(sql, text, parameters)\n',
    tests: [roomsTest],
  },
  {
    id: 'postgres-youngest-succeeds',
    breaks: 'The member of longest standing becomes the owner.',
    file: `${rooms}/room-store.postgres.ts`,
    find: '    order by o.from_sequence limit 1\n',
    replace: '    order by o.from_sequence desc limit 1\n',
    tests: [roomsTest],
  },
]
