import { and, eq } from 'drizzle-orm'
import type { Queries } from '../storage/sqlite/connection.ts'
import { memberships, openEnd, roomRequests, rooms, users } from '../storage/sqlite/schema.ts'
import type { NewMembership } from './room-store.ts'
import type { Role } from './rooms.ts'

/** The changes of the tables of rooms. All of them run inside the transaction of a commit. */
export function createRoomWrites(queries: Queries) {
  const openOf = (room: number, userId: string) =>
    and(eq(memberships.userId, userId), eq(memberships.room, room), eq(memberships.throughSequence, openEnd))
  return {
    insertRoom: (room: typeof rooms.$inferInsert) => queries.insert(rooms).values(room).run(),
    rename: (number: number, name: string) =>
      queries.update(rooms).set({ name }).where(eq(rooms.number, number)).run(),
    /** Ends the room. Its idempotency key and its pair become free. */
    end: (number: number, endedAt: number) =>
      queries
        .update(rooms)
        .set({ endedAt, idempotencyKey: null, request: null, directPair: null })
        .where(eq(rooms.number, number))
        .run(),
    addMembers(room: number, members: readonly NewMembership[]): void {
      for (const member of members) {
        queries
          .insert(memberships)
          .values({ ...member, room, throughSequence: openEnd })
          .run()
      }
    },
    setRole: (userId: string, room: number, role: Role) =>
      queries.update(memberships).set({ role }).where(openOf(room, userId)).run(),
    endMember: (userId: string, room: number, throughSequence: number) =>
      queries.update(memberships).set({ throughSequence }).where(openOf(room, userId)).run(),
    endAllMembers: (room: number, throughSequence: number) =>
      queries
        .update(memberships)
        .set({ throughSequence })
        .where(and(eq(memberships.room, room), eq(memberships.throughSequence, openEnd)))
        .run(),
    /** Records that the user of a removed account has left all rooms. */
    finishLeaving: (userId: string) =>
      queries.update(users).set({ leavesRooms: false }).where(eq(users.id, userId)).run(),
    finishRequest: (id: number) => queries.delete(roomRequests).where(eq(roomRequests.id, id)).run(),
  }
}
