// The floor: a bare `Bun.serve` that does the least possible for each kind of work. It checks, counts and logs
// nothing. FRAME is what it broadcasts for every frame it gets: as many bytes as the service does. Where
// DATABASE names a file, it also stores each frame before it broadcasts it, as cheaply as that can be done:
// what has arrived shares a commit that waits for the disk. Otherwise it stores nothing.

import { Database } from 'bun:sqlite'

const profile = { user: { id: '019a9c4e-5b7a-7c31-8d2e-3f6a1b9c0d4e', username: 'exampleuser' } }
const frame = process.env.FRAME ?? ''

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT),
  routes: {
    '/api/users/profile': { GET: () => Response.json(profile) },
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

function broadcast() {
  server.publish('chat', frame)
}

function storing(file: string) {
  const database = new Database(file, { create: true })
  database.run('pragma journal_mode = wal')
  database.run('pragma synchronous = full')
  database.run('create table messages (sequence integer primary key, frame text not null)')
  const insert = database.prepare('insert into messages (frame) values (?)')
  let waiting = 0

  const store = database.transaction(() => {
    for (let n = 0; n < waiting; n += 1) insert.run(frame)
  })

  function commit() {
    store()
    for (; waiting > 0; waiting -= 1) broadcast()
  }

  return () => {
    if (waiting === 0) setImmediate(commit)
    waiting += 1
  }
}
