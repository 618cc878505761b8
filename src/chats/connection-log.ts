import { closeCodes } from '../contract/frames.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { Logger } from '../logger.ts'
import type { ChatSocket, ConnectionRecord } from './connection.ts'

/** Writes one line for each connection that has closed. */
export interface ConnectionLog {
  /** Starts the record of a connection, or returns undefined if the log's level excludes the line. */
  start(handshake: RequestContext): ConnectionRecord | undefined
  /** Notes that the connection receives broadcasts from now on. */
  subscribed(socket: ChatSocket): void
  /** Notes one broadcast. */
  broadcast(): void
  /** Writes the line. Call it before the connection is removed. @param code the code of the close event */
  closed(socket: ChatSocket, code: number): void
}

export function createConnectionLog(logger: Logger): ConnectionLog {
  const enabled = logger.isLevelEnabled('info')
  let broadcasts = 0

  return {
    start({ requestId, client }) {
      if (!enabled) return undefined
      const openedAt = performance.now()
      return { requestId, client, openedAt, framesReceived: 0, framesSent: 0, broadcastsBefore: undefined }
    },
    subscribed({ data: { record } }) {
      if (record) record.broadcastsBefore = broadcasts
    },
    broadcast() {
      broadcasts++
    },
    closed({ data: { identity, closing, record } }, code) {
      if (!record) return
      const { requestId, client, openedAt, framesReceived, framesSent, broadcastsBefore } = record
      logger.info(
        {
          requestId,
          client,
          user: identity.user.id,
          closeCode: code,
          // Never the reason that a client sends: it can be any text.
          closeName: closing !== undefined && closeCodes[closing].code === code ? closing : undefined,
          seconds: Math.round((performance.now() - openedAt) / 100) / 10,
          framesReceived,
          framesSent: framesSent + broadcasts - (broadcastsBefore ?? broadcasts),
        },
        'connection closed',
      )
    },
  }
}
