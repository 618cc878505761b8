// The baseline: a bare `Bun.serve` that does the least possible work for each workload. By default it does not
// validate, count, log or store anything, and it broadcasts FRAME for every frame that it receives. FRAME is as
// long as a frame that Parley broadcasts.
//
// Two environment variables add one part of the documented work each, in its cheapest form, to show what that part
// costs:
// - HEADERS (a JSON object): the profile response carries these headers and a new request id. The server reads the
//   Authorization header, but does not verify the token.
// - DATABASE (a file name): the server parses each frame, serializes the message in the format of FRAME, commits it
//   to disk in a row of its own, and then broadcasts it. Messages that arrive together share one commit.

import { Database } from 'bun:sqlite'

const profile = { user: { id: '019a9c4e-5b7a-7c31-8d2e-3f6a1b9c0d4e', username: 'exampleuser' } }
const frame = process.env.FRAME ?? ''

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT),
  routes: {
    '/api/users/profile': {
      GET: process.env.HEADERS ? withHeaders(process.env.HEADERS) : () => Response.json(profile),
    },
    '/api/chats/send': { POST: async (request) => Response.json(await request.json()) },
    '/': (request, server) =>
      server.upgrade(request, { data: undefined })
        ? undefined
        : new Response('Upgrade Required', { status: 426 }),
  },
  websocket: {
    open: (socket) => {
      socket.subscribe('chat')
    },
    message: process.env.DATABASE ? storeAndBroadcast(process.env.DATABASE) : broadcast,
  },
})

function withHeaders(json: string) {
  const headers = new Headers(JSON.parse(json))
  return (request: Request) => {
    request.headers.get('authorization')
    headers.set('x-request-id', Bun.randomUUIDv7())
    return Response.json(profile, { headers })
  }
}

function broadcast() {
  server.publish('chat', frame)
}

function storeAndBroadcast(file: string) {
  const database = new Database(file, { create: true })
  database.run('pragma journal_mode = wal')
  database.run('pragma synchronous = full')
  database.run('create table messages (sequence integer primary key, frame text not null)')
  const insert = database.prepare('insert into messages (frame) values (?)')
  const { event, id, user, sentAt } = JSON.parse(frame)
  let pending: string[] = []

  const store = database.transaction((messages: string[]) =>
    messages.map((message) => {
      const text = JSON.stringify({ event, id, message, user, sentAt })
      insert.run(text)
      return text
    }),
  )

  function commit() {
    const messages = pending
    pending = []
    for (const text of store(messages)) server.publish('chat', text)
  }

  return (_: unknown, text: string | Buffer) => {
    if (pending.length === 0) setImmediate(commit)
    pending.push(JSON.parse(String(text)).message)
  }
}
