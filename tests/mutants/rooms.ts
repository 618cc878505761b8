import type { Mutant } from './list.ts'

const chats = 'src/chats'
const rooms = 'src/rooms'
const suite = 'tests/storage/sqlite-rooms.test.ts'
const delivery = 'tests/unit/rooms/delivery.test.ts'

/** Who receives what of a room, and who may change it. */
export const roomsMutants: readonly Mutant[] = [
  {
    id: 'membership-of-now',
    breaks: 'A resume gives the times of the membership, not the rooms of now.',
    file: `${chats}/entry-statements.sqlite.ts`,
    find: 'm.from_sequence <= e.sequence and m.through_sequence >= e.sequence',
    replace: `m.through_sequence = ${Number.MAX_SAFE_INTEGER}`,
    tests: [suite],
  },
  {
    id: 'rooms-of-now',
    breaks: 'A resumed connection receives the rooms at its place of the log.',
    file: `${chats}/entry-statements.sqlite.ts`,
    find: 'and from_sequence <= ?2 and through_sequence > ?2',
    replace: 'and ?2 = ?2',
    tests: [suite],
  },
  {
    id: 'not-unsubscribed',
    breaks: 'A user who has left receives nothing more of the room.',
    file: `${chats}/room-broadcast.ts`,
    find: '      for (const socket of socketsOf(leaves)) socket.unsubscribe(topic)\n',
    replace: '',
    tests: [suite, delivery],
  },
  {
    id: 'left-outside-the-interval',
    breaks: 'A resume delivers the event by which the user left.',
    file: `${rooms}/room-events.ts`,
    find: 'store.endMember(user.id, room.number, sequence)',
    replace: 'store.endMember(user.id, room.number, sequence - 1)',
    tests: [suite],
  },
  {
    id: 'subscribed-after-the-event',
    breaks: 'A user who joins receives the own event.',
    file: `${chats}/room-broadcast.ts`,
    find: '      for (const socket of socketsOf(joins)) socket.subscribe(topic)\n      if (audience === undefined) publish(topic, frame)\n',
    replace:
      '      if (audience === undefined) publish(topic, frame)\n      for (const socket of socketsOf(joins)) socket.subscribe(topic)\n',
    tests: [suite, delivery],
  },
  {
    id: 'event-of-a-large-room-to-all',
    breaks: 'In a large room, only the user concerned receives an event about a member, also in a resume.',
    file: `${chats}/entry-statements.sqlite.ts`,
    find: "'(e.audience is null or e.audience = ?1)'",
    replace: "'(e.audience is null or ?1 = ?1)'",
    tests: [delivery],
  },
  {
    id: 'room-message-without-membership',
    breaks: 'Sending needs membership at the place of the message.',
    file: `${chats}/entry-statements.sqlite.ts`,
    find: 'where m.user_id = ?2 and m.room = r.number and',
    replace: 'where ?2 = ?2 and m.room = r.number and',
    tests: [suite],
  },
  {
    id: 'room-without-a-limit',
    breaks: 'A room has at most 10,000 members.',
    file: `${rooms}/room-rules.ts`,
    find: '(yield* ask(store.countMembers(room.number))) >= membersPerRoom',
    replace: '(yield* ask(store.countMembers(room.number))) > membersPerRoom',
    tests: ['tests/contract/rooms.test.ts'],
  },
  {
    id: 'no-successor',
    breaks: 'A room whose last owner leaves has another one at once.',
    file: `${rooms}/room-events.ts`,
    find: "      if (user) yield* setRole(writer, { room, user, role: 'owner', by: null })\n",
    replace: '',
    tests: [suite],
  },
  {
    id: 'last-owner-steps-down',
    breaks: 'A room keeps an owner.',
    file: `${rooms}/room-rules.ts`,
    find: "    if (role === 'member' && !(yield* ask(store.owner(room.number, user.id)))) throw new LastOwner()\n",
    replace: '',
    tests: [suite],
  },
  {
    id: 'private-room-visible',
    breaks: 'A private room looks like one that does not exist.',
    file: `${rooms}/rooms.sqlite.ts`,
    find: 'return room.public === 1 || statements.membership().get(readerId, room.number) ? room : undefined',
    replace: 'return room',
    tests: [suite],
  },
  {
    id: 'joined-history-shows-all',
    breaks: 'Where the history is `joined`, it shows only the times of the membership.',
    file: `${chats}/history-reader.sqlite.ts`,
    find: "room.public === 1 || room.history === 'all' ?",
    replace: 'room.number > 0 ?',
    tests: [suite],
  },
  {
    id: 'rooms-shorten-the-history-of-all',
    breaks: 'Traffic in rooms never removes messages to all users.',
    file: `${chats}/retention.sqlite.ts`,
    find: 'return counting ? count.edge(oldest) : bySequence',
    replace: 'return bySequence',
    tests: [suite],
  },
  {
    id: 'no-gap-for-a-room',
    breaks: 'A client learns of each room whose entries were removed.',
    file: `${chats}/view-reader.sqlite.ts`,
    find: '      if (!reportGap(view, number, { through: trimmedThrough, after })) continue\n',
    replace: '      continue\n',
    tests: [suite],
  },
  {
    id: 'account-stays-in-rooms',
    breaks: 'A user whose account was removed leaves all rooms.',
    file: `${rooms}/room-work.sqlite.ts`,
    find: "      await log.change({ kind: 'end-account', userId: id })\n",
    replace: '',
    tests: [suite],
  },
]
