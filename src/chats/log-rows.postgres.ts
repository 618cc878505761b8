import type { MessageIds } from './message-ids.ts'
import type { RoomDelivery } from './message-log.ts'
import type { SequencedMessage } from './sequencer.ts'

/** The place of an entry of a room. */
export interface EntryPlace {
  readonly room: number
  readonly audience: string | null
  readonly kind: string
}

/** A stored message to all users, or an entry of a room. */
export interface LogRow {
  readonly sequence: number
  /** The author of a message, or the user whom an event concerns. */
  readonly userId: string | null
  /** Only for messages to all users. */
  readonly username: string | null
  readonly idempotencyKey: string | null
  readonly sentAt: number
  /** The JSON text of a message to all users, or the body of an entry (see the migration). */
  readonly body: string
  readonly entry?: EntryPlace | undefined
}

/** A row of a statement that selects `logColumns`. 64-bit integers arrive as text. */
export interface UnionRow {
  readonly sequence: string
  readonly userId: string | null
  readonly username: string | null
  readonly key: string | null
  readonly sentAt: string
  readonly body: string
  readonly room: string | null
  readonly audience: string | null
  readonly kind: string | null
}

export const logColumns = (table: string) =>
  `${table}.sequence, ${table}.user_id as "userId", ${table}.username, ${table}.idempotency_key as key, ` +
  `${table}.sent_at as "sentAt", ${table}.body, ${table}.room, ${table}.audience, ${table}.kind`

export const toLogRow = ({ sequence, key, sentAt, room, audience, kind, ...row }: UnionRow): LogRow => ({
  userId: row.userId,
  username: row.username,
  body: row.body,
  sequence: Number(sequence),
  idempotencyKey: key,
  sentAt: Number(sentAt),
  ...(room !== null && { entry: { room: Number(room), audience, kind: kind ?? '' } }),
})

/** Whom an entry reaches. It follows from the stored columns, so that every node delivers it in the same way. */
export function toDelivery({ room, audience, kind }: EntryPlace, userId: string | null): RoomDelivery {
  const subject = userId ?? undefined
  return {
    room,
    audience: audience ?? undefined,
    joins: kind === 'joined' ? subject : undefined,
    leaves: kind === 'left' ? subject : undefined,
    ends: kind === 'room-removed' || undefined,
  }
}

const toUser = (id: string | null, username: string | null) =>
  `{"id":${JSON.stringify(id)},"username":${JSON.stringify(username)}}`

/** The body of a message to a room. */
export const messageBody = (
  room: string,
  message: string,
  user: { readonly id: string; readonly username: string },
) =>
  `"room":${JSON.stringify(room)},"message":${JSON.stringify(message)},"user":${toUser(user.id, user.username)}`

/** The frame of a row: the same text on every node, and the same as in SQLite. */
export function toFrame(row: LogRow, id: string): string {
  const { userId, username, idempotencyKey, sentAt, body, entry } = row
  const key = idempotencyKey === null ? '' : `,"idempotencyKey":${JSON.stringify(idempotencyKey)}`
  const time = new Date(sentAt).toISOString()
  if (entry) return `{"event":"${entry.kind}","id":"${id}",${body},"sentAt":"${time}"${key}}`
  return `{"event":"message","id":"${id}","message":${body},"user":${toUser(userId, username)},"sentAt":"${time}"${key}}`
}

export function createToMessage(ids: MessageIds) {
  return (row: LogRow): SequencedMessage => {
    const id = ids.encode(row.sequence)
    const frame = toFrame(row, id)
    if (!row.entry) return { sequence: row.sequence, id, frame }
    return { sequence: row.sequence, id, frame, delivery: toDelivery(row.entry, row.userId) }
  }
}
