import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { type Account, uniqueName } from './accounts.ts'
import type { OwnService } from './server.ts'

/** The last sequence of a membership that has not ended. */
const openEnd = Number.MAX_SAFE_INTEGER

/** Adds accounts without passwords to a server of this process: their registration would take too long. */
export function insertUsers(server: OwnService, count: number): string[] {
  using database = new Database(join(server.dataDir, 'parley.sqlite'))
  const names = Array.from({ length: count }, () => uniqueName())
  const insert = database.prepare(
    'insert into users (id, username, password_hash, created_at) values (?, ?, ?, 0)',
  )
  database.transaction(() => names.forEach((name) => void insert.run(crypto.randomUUID(), name, '')))()
  return names
}

/** Adds rooms of a user to a server of this process. Requests for all of them would make the traffic too large. */
export function insertRooms(server: OwnService, { username }: Account, count: number): void {
  using database = new Database(join(server.dataDir, 'parley.sqlite'))
  const user = database
    .query<{ id: string }, [string]>('select id from users where username = ?')
    .get(username)
  const next = database.query<{ first: number }, []>('select min(0, min(number)) as first from rooms').get()
  const room = database.prepare(
    "insert into rooms (number, id, name, public, history, created_by) values (?, ?, 'Room', 0, 'all', '')",
  )
  const membership = database.prepare(`insert into memberships values (?, ?, ?, ${openEnd}, 'owner')`)
  database.transaction(() => {
    // Numbers that no sequence of the log has.
    for (let number = (next?.first ?? 0) - 1, end = number - count; number > end; number--) {
      room.run(number, crypto.randomUUID())
      membership.run(user?.id ?? '', number, number)
    }
  })()
}

/** Adds members to a room of a server of this process. Their events are left out. */
export function insertMembers(server: OwnService, room: string, count: number): void {
  const names = insertUsers(server, count)
  using database = new Database(join(server.dataDir, 'parley.sqlite'))
  const insert = database.prepare(
    `insert into memberships (user_id, room, from_sequence, through_sequence, role)
     select users.id, rooms.number, rooms.number, ${openEnd}, 'member' from users, rooms
     where lower(users.username) = lower(?) and rooms.id = ?`,
  )
  database.transaction(() => names.forEach((name) => void insert.run(name, room)))()
}
