import type { Handlers } from '../contract/handlers.ts'
import { readIdempotencyKey } from '../http/idempotency-key.ts'
import type { RoomChangeResult, RoomChanges } from './room-changes.ts'
import type { Rooms } from './rooms.ts'

interface RoomHandlersOptions {
  readonly rooms: Rooms
  readonly changes: RoomChanges
  /** Whether users may create rooms. */
  readonly creationOpen: boolean
}

type RoomHandlers = Pick<
  Handlers,
  | 'createRoom'
  | 'listRooms'
  | 'getRoom'
  | 'updateRoom'
  | 'removeRoom'
  | 'listMembers'
  | 'setMember'
  | 'removeMember'
  | 'openDirectRoom'
>

function resultOf<Name extends keyof RoomChangeResult>(
  result: RoomChangeResult,
  name: Name,
): NonNullable<RoomChangeResult[Name]> {
  const value = result[name]
  if (value === undefined) throw new Error(`The change has no ${name}`)
  return value
}

export function roomHandlers({ rooms, changes, creationOpen }: RoomHandlersOptions): RoomHandlers {
  return {
    async createRoom({ user, body, headers, reply, problem }) {
      if (!creationOpen) throw problem('room-creation-closed')
      const { name, public: isPublic = false, members = [] } = body
      const { history = isPublic ? 'all' : 'joined' } = body
      if (isPublic && history !== 'all') {
        throw problem('validation-failed', {
          errors: [{ pointer: '/history', detail: 'must be all in a public room' }],
        })
      }
      const result = await changes.change({
        kind: 'create-room',
        by: user,
        room: { name, public: isPublic, history, members },
        idempotencyKey: readIdempotencyKey(headers['Idempotency-Key']),
      })
      return reply({ room: resultOf(result, 'room') })
    },

    async listRooms({ user, query: { scope, after, limit }, reply }) {
      const page = await (scope === 'mine'
        ? rooms.listOf(user.id, after, limit)
        : rooms.listPublic(after, limit))
      return reply({ rooms: page.rooms, next: (page.more && page.rooms.at(-1)?.id) || null })
    },

    async getRoom({ user, path, reply, problem }) {
      const room = await rooms.get(path.room, user.id)
      if (!room) throw problem('not-found')
      return reply({ room })
    },

    async updateRoom({ user, path: { room }, body: { name }, reply }) {
      const result = await changes.change({ kind: 'rename-room', by: user, room, name })
      return reply({ room: resultOf(result, 'room') })
    },

    async removeRoom({ user, path: { room }, reply }) {
      await changes.change({ kind: 'remove-room', by: user, room })
      return reply({})
    },

    async listMembers({ user, path, query: { after, limit }, reply, problem }) {
      const page = await rooms.members(path.room, user.id, { after, limit })
      if (!page) throw problem('not-found')
      const { members, count, more } = page
      return reply({ members, count, next: (more && members.at(-1)?.user.id) || null })
    },

    async setMember({ user, path: { room, username }, body: { role }, reply }) {
      const result = await changes.change({ kind: 'set-member', by: user, room, username, role })
      return reply({ member: resultOf(result, 'member') })
    },

    async removeMember({ user, path: { room, username }, reply }) {
      await changes.change({ kind: 'remove-member', by: user, room, username })
      return reply({})
    },

    async openDirectRoom({ user, path: { username }, reply, problem }) {
      const change = { kind: 'open-direct', by: user, username, mayCreate: creationOpen } as const
      const { room } = await changes.change(change)
      // Without the room, the change would have created it.
      if (!room) throw problem('room-creation-closed')
      return reply({ room })
    },
  }
}
