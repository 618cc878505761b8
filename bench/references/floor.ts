// The floor: a bare `Bun.serve` that does the least possible for each kind of work. It checks, counts, logs
// and stores nothing. FRAME is what it broadcasts for every frame it gets: as many bytes as the service does.

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
    message: () => {
      server.publish('chat', frame)
    },
  },
})
