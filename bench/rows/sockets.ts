// Connects sockets to each of the servers.

import { Database } from 'bun:sqlite'
import { createMessageIds } from '../../src/chats/message-ids.ts'
import type { Competitor } from '../competitors.ts'
import type { Parley } from '../parley.ts'
import type { Server, SocketLoad } from '../processes.ts'

export const documentedFrame = '{"message":"Hello, world!"}'

export function connectToParley(
  load: SocketLoad,
  { server, tokens }: Pick<Parley, 'server' | 'tokens'>,
  count: number,
  path = '/',
) {
  return load.execute({ type: 'open', count, endpoint: { port: server.port, path }, tokens })
}

export function connectToBaseline(load: SocketLoad, server: Server, count: number) {
  return load.execute({ type: 'open', count, endpoint: { port: server.port, path: '/' }, tokens: [] })
}

export function connectToCompetitor(load: SocketLoad, { kind, server, tokens }: Competitor, count: number) {
  const endpoint = { port: server.port, path: kind.socketPath }
  return load.execute({ type: 'open', count, endpoint, tokens, greetings: kind.greetings })
}

/** Returns the path that resumes a connection that has missed the last `missed` messages. */
export async function resumePath({ databaseFile }: Parley, missed: number): Promise<string> {
  using database = new Database(databaseFile, { readonly: true })
  const { incarnation, head } = database
    .query<{ incarnation: string; head: number }, []>(
      'select incarnation, (select max(sequence) from messages) as head from message_log',
    )
    .get() ?? { incarnation: '', head: 0 }
  return `/?after=${createMessageIds(incarnation).encode(head - missed)}`
}

/** Returns a frame as Parley broadcasts it. */
export async function sampleFrame({ server, tokens }: Parley): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, ['parley.v1', `bearer.${tokens[0]}`])
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  socket.onopen = () => socket.send(documentedFrame)
  socket.onmessage = ({ data }) => resolve(String(data))
  socket.onerror = () => reject(new Error('The WebSocket could not be opened'))
  const frame = await promise
  socket.close()
  return frame
}
