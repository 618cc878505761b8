import type { ServerWebSocket } from 'bun'
import type { CloseCodeName } from '../contract/types.gen.ts'
import type { Identity } from '../http/admission.ts'

/** What one connection is in the middle of. Kept small: there are thousands. */
export interface Session {
  readonly identity: Identity
  /** Messages that are not settled yet. */
  pending: number
  /** Frames in a row that the rate limit refused. */
  refusals: number
  /** Why the connection closes as soon as nothing is pending; no further frame counts. */
  closing: CloseCodeName | undefined
  /** Where a client that resumes has got to; undefined once it gets the live messages. */
  replay: Replay | undefined
}

export interface Replay {
  /** The last message that was sent; undefined for all that is kept. */
  cursor: string | undefined
  /** Whether the client has to read before more is sent. */
  waiting: boolean
}

export type ChatSocket = ServerWebSocket<Session>
