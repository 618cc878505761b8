// The baseline: a bare `Bun.serve` that does the least possible for each kind of work. It checks, counts, logs and
// stores nothing. FRAME is what it broadcasts for every frame it gets: as many bytes as the service does.
//
// Two things show what a part of the documented work costs by itself, done as cheaply as it can be. Where
// HEADERS is set (JSON), the profile is answered with these headers, a new request id among them, after the
// token has been read and not looked at. Where DATABASE names a file, each frame is parsed, the text of its
// message is made, as FRAME has it, and committed to disk in a row, and then broadcast; what has arrived shares a
// commit.

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
    message: process.env.DATABASE ? storing(process.env.DATABASE) : broadcast,
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

function storing(file: string) {
  const database = new Database(file, { create: true })
  database.run('pragma journal_mode = wal')
  database.run('pragma synchronous = full')
  database.run('create table messages (sequence integer primary key, frame text not null)')
  const insert = database.prepare('insert into messages (frame) values (?)')
  const { event, id, user, sentAt } = JSON.parse(frame)
  let waiting: string[] = []

  const store = database.transaction((messages: string[]) =>
    messages.map((message) => {
      const text = JSON.stringify({ event, id, message, user, sentAt })
      insert.run(text)
      return text
    }),
  )

  function commit() {
    const messages = waiting
    waiting = []
    for (const text of store(messages)) server.publish('chat', text)
  }

  return (_: unknown, text: string | Buffer) => {
    if (waiting.length === 0) setImmediate(commit)
    waiting.push(JSON.parse(String(text)).message)
  }
}
