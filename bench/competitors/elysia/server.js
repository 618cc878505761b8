// A competitor: the same API on plain Elysia with its `.ws()`, @elysiajs/jwt and bun:sqlite. It does not log, and has
// no rate limits, no resuming and no idempotency keys.

import { Database } from 'bun:sqlite'
import { jwt } from '@elysiajs/jwt'
import { Elysia, t } from 'elysia'

const database = new Database(process.env.DATABASE, { create: true, strict: true })
// A commit waits for the disk: `synchronous` is full unless it is changed.
database.run('pragma journal_mode = wal')
database.run(
  'create table users (id text primary key, username text not null unique collate nocase, password_hash text not null)',
)
database.run(
  'create table messages (id text primary key, user_id text not null, sent_at integer not null, text text not null)',
)
const insertUser = database.query(
  'insert into users (id, username, password_hash) values ($id, $username, $hash)',
)
const findByName = database.query(
  'select id, username, password_hash as hash from users where username = $username',
)
const findById = database.query('select id, username from users where id = $id')
const insertMessage = database.query(
  'insert into messages (id, user_id, sent_at, text) values ($id, $userId, $at, $text)',
)

const credentials = t.Object({
  username: t.String({ minLength: 3, maxLength: 32 }),
  password: t.String({ minLength: 8, maxLength: 128 }),
})
const chatMessage = t.Object({ message: t.String({ minLength: 1, maxLength: 4096 }) })

const app = new Elysia()
  .use(jwt({ name: 'jwt', secret: crypto.randomUUID() + crypto.randomUUID(), exp: '1d' }))
  .post(
    '/api/auth/register',
    async ({ body: { username, password }, status }) => {
      if (findByName.get({ username })) return status(409, { title: 'Username taken' })
      const user = { id: Bun.randomUUIDv7(), username }
      insertUser.run({ ...user, hash: await Bun.password.hash(password) })
      return status(201, { message: 'User registered successfully', user })
    },
    { body: credentials },
  )
  .post(
    '/api/auth/login',
    async ({ body: { username, password }, jwt, status }) => {
      const user = findByName.get({ username })
      if (!user || !(await Bun.password.verify(password, user.hash)))
        return status(401, { title: 'Invalid credentials' })
      return { message: 'Login successful', token: await jwt.sign({ sub: user.id }) }
    },
    { body: credentials },
  )
  .resolve(async ({ headers: { authorization }, jwt, status }) => {
    const claims = authorization?.startsWith('Bearer ') && (await jwt.verify(authorization.slice(7)))
    const user = claims && findById.get({ id: claims.sub })
    return user ? { user } : status(401, { title: 'Invalid token' })
  })
  .get('/api/users/profile', ({ user }) => ({ user }))
  .post(
    '/api/chats/send',
    ({ body: { message }, user }) => {
      send(user, message)
      return { message: 'Message sent successfully' }
    },
    { body: chatMessage },
  )
  .ws('/', {
    body: chatMessage,
    open: (socket) => {
      socket.subscribe('chat')
    },
    message: (socket, { message }) => send(socket.data.user, message),
  })
  .listen({ port: Number(process.env.PORT), hostname: '127.0.0.1' })

function send(user, message) {
  const id = Bun.randomUUIDv7()
  const at = Date.now()
  insertMessage.run({ id, userId: user.id, at, text: message })
  const frame = { event: 'message', id, message, user, sentAt: new Date(at).toISOString() }
  app.server.publish('chat', JSON.stringify(frame))
}
