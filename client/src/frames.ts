import type { ChatEvents, User } from './chat-types.ts'
import type { Schemas, ServerFrame } from './contract.gen.ts'
import { type ParleyError, responseError } from './errors.ts'
import type { Events } from './events.ts'
import type { Call } from './http.ts'
import type { Outbox } from './outbox.ts'
import type { Position } from './position.ts'
import type { RoomList } from './rooms.ts'

/** Creates the function that applies frames of the server to the position, the outbox and the listeners. */
export function createReceiver(
  call: Call,
  events: Events<ChatEvents>,
  outbox: Outbox,
  position: Position,
  rooms: RoomList,
  user: () => User | undefined,
): (frame: ServerFrame) => void {
  /** Gets the message that was stored before with the same key. */
  async function confirmStored({ id, idempotencyKey }: Schemas['StoredFrame']): Promise<void> {
    try {
      outbox.confirm(await call('getMessage', { id }), user()?.id)
    } catch (error) {
      outbox.fail(idempotencyKey, error as ParleyError)
    }
  }

  return (frame) => {
    switch (frame.event) {
      case 'message':
        if (!position.accept(frame)) return
        events.emit('message', frame)
        outbox.confirm(frame, user()?.id)
        break
      case 'joined':
      case 'left':
      case 'room-changed':
      case 'room-removed':
        if (!position.accept(frame)) return
        rooms.apply(frame, user()?.id)
        events.emit(frame.event, frame as never)
        break
      case 'gap':
        if (!position.isBeginning) events.emit('gap', frame)
        position.moveTo(frame.cursor)
        rooms.invalidate()
        break
      case 'caught-up':
        position.moveTo(frame.cursor)
        break
      case 'stored':
        confirmStored(frame)
        break
      case 'error': {
        const { problem, retryAfter: retryAfterSeconds, idempotencyKey } = frame
        const error = responseError(problem, { retryAfterSeconds })
        if (!outbox.fail(idempotencyKey, error)) events.emit('error', error)
      }
      // Other events are ignored, because a later release may add some.
    }
  }
}
