import {
  gone,
  type LogView,
  type MessageLog,
  type NewMessage,
  outcomeOf,
  type Page,
  type StoredMessage,
} from '../../../src/chats/message-log.ts'
import type { RoomChange } from '../../../src/rooms/room-changes.ts'
import type { Rooms } from '../../../src/rooms/rooms.ts'
import type { User, Users } from '../../../src/users/users.ts'
import { forEachName } from '../../fixtures/for-each-name.ts'

export interface RoomPorts {
  readonly log: MessageLog
  readonly rooms: Rooms
  readonly users: Users
  leaveRooms(userId: string): Promise<void>
}

export interface Entry {
  readonly event: string
  readonly id: string
  readonly message?: string
  readonly room?: string | { readonly id: string; readonly name: string }
  readonly user?: User
  readonly role?: string
  readonly by?: User | null
}

export const parseEntry = ({ frame }: Pick<StoredMessage, 'frame'>) => JSON.parse(frame) as Entry

/** A short form of an entry: the text of a message, or the event with the user's name and the role. */
export function describeEntry(frame: string): string {
  const { event, message, user, role } = parseEntry({ frame })
  if (message !== undefined) return message
  return [event, user?.username, role].filter((part) => part !== undefined).join(' ')
}

/** The status of a change: `ok`, or the code of its problem. */
export const outcomeOfChange = (pending: Promise<unknown>): Promise<string> =>
  pending.then(
    () => 'ok',
    (error: { code?: string }) => error.code ?? String(error),
  )

/** Changes and reads with short arguments. */
export function createRoomActions({ log, rooms, users, leaveRooms }: RoomPorts) {
  type Settings = Partial<Extract<RoomChange, { kind: 'create-room' }>['room']>

  async function user(username: string): Promise<User> {
    const added = await users.add(username, 'no hash')
    if (!added) throw new Error(`${username} is taken`)
    return added
  }

  return {
    log,
    rooms,
    user,
    /** Adds users one after the other, so that their ids have this order. */
    users: <Names extends string[]>(...names: Names) => forEachName(names, user),
    async create(by: User, settings: Settings = {}, idempotencyKey?: string): Promise<string> {
      const room = { name: 'Room', public: false, history: 'joined' as const, members: [], ...settings }
      const result = await log.change({ kind: 'create-room', by, room, idempotencyKey })
      return result.room?.id ?? ''
    },
    async direct(by: User, username: string): Promise<string> {
      const result = await log.change({ kind: 'open-direct', by, username, mayCreate: true })
      return result.room?.id ?? ''
    },
    add: (by: User | null, room: string, username: string, role?: 'owner' | 'member') =>
      outcomeOfChange(log.change({ kind: 'set-member', by, room, username, role })),
    remove: (by: User, room: string, username: string) =>
      outcomeOfChange(log.change({ kind: 'remove-member', by, room, username })),
    rename: (by: User, room: string, name: string) =>
      outcomeOfChange(log.change({ kind: 'rename-room', by, room, name })),
    end: (by: User | null, room: string) => outcomeOfChange(log.change({ kind: 'remove-room', by, room })),
    /** Removes the account, as a process that is interrupted before the user has left the rooms. */
    async removeAccount({ id }: User): Promise<void> {
      await users.remove(id, { eraseMessages: false })
    },
    async endAccount({ id }: User): Promise<void> {
      await users.remove(id, { eraseMessages: false })
      await leaveRooms(id)
    },
    /** The id of the message, or the code of the problem. */
    async send(user: User, message: string, room?: string, idempotencyKey?: string): Promise<string> {
      const entry: NewMessage = { user, message, room, idempotencyKey }
      await log.append(entry)
      try {
        return outcomeOf(entry).id
      } catch (error) {
        return (error as { code: string }).code
      }
    },
    async roles(room: string, { id }: User): Promise<Record<string, string> | undefined> {
      const page = await rooms.members(room, id, { after: undefined, limit: 200 })
      return page && Object.fromEntries(page.members.map(({ user, role }) => [user.username, role]))
    },
    async roomsOf({ id }: User): Promise<string[]> {
      return (await rooms.listOf(id, undefined, 200)).rooms.map((room) => room.name)
    },
    /** The texts of the history that a user reads; undefined if the room does not exist for the user. */
    async history(room: string, { id }: User, range: { after?: string; before?: string } = {}) {
      const page = await log.readHistory(room, id, { ...range, limit: 200 })
      return page === gone ? gone : page?.messages.map(({ frame }) => describeEntry(frame))
    },
    /** Everything that a client of the user receives when it resumes, and the gaps. */
    async resume({ id }: User, cursor: string | undefined, pageSize = 100) {
      const view: LogView = { userId: id }
      const entries: string[] = []
      const gaps: (string | undefined)[] = []
      for (let next = cursor; ; ) {
        const page: Page | typeof gone = await log.readAfter(next, pageSize, view)
        if (page === gone) throw new Error('The cursor is from another log')
        entries.push(...page.messages.map(({ frame }) => describeEntry(frame)))
        gaps.push(...(page.gaps ?? []).map(({ room }) => room))
        next = page.end
        if (page.rooms) return { entries, gaps, rooms: page.rooms.length }
      }
    },
  }
}

export type RoomActions = ReturnType<typeof createRoomActions>
