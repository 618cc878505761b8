import { ProblemError } from '../contract/problems.ts'

/** The user may see the room, but is not an owner. */
export class NotOwner extends ProblemError {
  constructor() {
    super('not-owner')
  }
}

/** A room needs an owner. */
export class LastOwner extends ProblemError {
  constructor() {
    super('last-owner')
  }
}

/** The user has as many rooms, or the room as many members, as there may be. */
export class RoomLimitExceeded extends ProblemError {
  constructor() {
    super('room-limit-exceeded')
  }
}

/** The user created another room with the same key before. */
export class RoomKeyReused extends ProblemError {
  constructor() {
    const detail = 'differs from the request that this key came with'
    super('idempotency-key-reused', { errors: [{ pointer: '/name', detail }] })
  }
}
