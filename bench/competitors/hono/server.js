// A competitor: the same API on Hono with better-auth, bun:sqlite and Hono's helper for Bun's WebSockets. A session is
// a row of the database, which each request looks up: it can be revoked at once. The rate limits of better-auth are
// off, since they would refuse the registrations of the benchmark.

import { Database } from 'bun:sqlite'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { bearer, username } from 'better-auth/plugins'
import { Hono } from 'hono'
import { upgradeWebSocket, websocket } from 'hono/bun'
import { createMiddleware } from 'hono/factory'
import { validator } from 'hono/validator'

const port = Number(process.env.PORT)
const database = new Database(process.env.DATABASE, { create: true, strict: true })
// A commit waits for the disk: `synchronous` is full unless it is changed.
database.run('pragma journal_mode = wal')
database.run(
  'create table messages (id text primary key, user_id text not null, sent_at integer not null, text text not null)',
)
const insertMessage = database.query(
  'insert into messages (id, user_id, sent_at, text) values ($id, $userId, $at, $text)',
)

const options = {
  database,
  baseURL: `http://127.0.0.1:${port}`,
  secret: crypto.randomUUID() + crypto.randomUUID(),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [username(), bearer()],
}
const auth = betterAuth(options)
await (await getMigrations(options)).runMigrations()

const authenticated = createMiddleware(async (c, next) => {
  const session = await auth.api.getSession({ headers: c.req.raw.headers })
  if (!session) return c.json({ title: 'Invalid token' }, 401)
  c.set('user', session.user)
  await next()
})
const chatMessage = validator('json', (value, c) =>
  isMessage(value) ? value : c.json({ title: 'Validation failed' }, 422),
)

const app = new Hono()
app.on(['POST', 'GET'], '/api/auth/*', (c) => auth.handler(c.req.raw))
app.get('/api/users/profile', authenticated, (c) => {
  const { id, username } = c.get('user')
  return c.json({ user: { id, username } })
})
app.post('/api/chats/send', authenticated, chatMessage, (c) => {
  send(c.get('user'), c.req.valid('json').message)
  return c.json({ message: 'Message sent successfully' })
})
app.get(
  '/',
  authenticated,
  upgradeWebSocket((c) => ({
    onOpen: (_, socket) => socket.raw.subscribe('chat'),
    onMessage: ({ data }) => {
      const value = JSON.parse(data)
      if (isMessage(value)) send(c.get('user'), value.message)
    },
  })),
)

const server = Bun.serve({ port, hostname: '127.0.0.1', fetch: app.fetch, websocket })

function send({ id: userId, username }, message) {
  const id = Bun.randomUUIDv7()
  const at = Date.now()
  insertMessage.run({ id, userId, at, text: message })
  const user = { id: userId, username }
  const frame = { event: 'message', id, message, user, sentAt: new Date(at).toISOString() }
  server.publish('chat', JSON.stringify(frame))
}

function isMessage(value) {
  return typeof value?.message === 'string' && value.message.length > 0 && value.message.length <= 4096
}
