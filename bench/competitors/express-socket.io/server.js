// A competitor: the same API on a common stack of Express 5, jsonwebtoken, argon2, SQLite and Socket.IO 4. It
// commits each message to disk, but it does not log, and has no rate limits, no resuming and no idempotency keys.
// It keeps the accounts in memory too, so that it does not read the database for a request.

import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { Algorithm, hash, verify } from '@node-rs/argon2'
import express from 'express'
import jwt from 'jsonwebtoken'
import Database from 'libsql'
import { Server } from 'socket.io'

// Use a key object: jsonwebtoken first tries to parse a plain secret as a public key, which takes a millisecond.
const secret = createSecretKey(randomBytes(32))
const hashing = { algorithm: Algorithm.Argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const usersByName = new Map()
const usersById = new Map()

const database = new Database(process.env.DATABASE)
// A commit waits for the disk: `synchronous` is full unless it is changed.
database.pragma('journal_mode = wal')
database.exec(
  'create table users (id text primary key, username text not null unique, password_hash text not null)',
)
database.exec(
  'create table messages (id text primary key, user_id text not null, sent_at integer not null, text text not null)',
)
const insertUser = database.prepare('insert into users (id, username, password_hash) values (?, ?, ?)')
const insertMessage = database.prepare(
  'insert into messages (id, user_id, sent_at, text) values (?, ?, ?, ?)',
)

const app = express()
const server = createServer(app)
// The load generator does not answer Engine.IO pings. With this interval, none is sent during a measurement.
const sockets = new Server(server, { transports: ['websocket'], serveClient: false, pingInterval: 3_600_000 })

app.disable('x-powered-by')
app.use(express.json({ limit: '64kb' }))

app.post('/api/auth/register', async (request, response) => {
  const { username, password } = request.body
  if (!isText(username, 3, 32) || !isText(password, 8, 128))
    return sendProblem(response, 422, 'Validation failed')
  const key = username.toLowerCase()
  if (usersByName.has(key)) return sendProblem(response, 409, 'Username taken')
  const user = { id: randomUUID(), username, passwordHash: '' }
  usersByName.set(key, user)
  user.passwordHash = await hash(password, hashing)
  insertUser.run(user.id, username, user.passwordHash)
  usersById.set(user.id, user)
  response.status(201).json({ message: 'User registered successfully', user: { id: user.id, username } })
})

app.post('/api/auth/login', async (request, response) => {
  const { username, password } = request.body
  if (!isText(username, 0, 128) || !isText(password, 0, 128))
    return sendProblem(response, 422, 'Validation failed')
  const user = usersByName.get(username.toLowerCase())
  if (!user || !(await verify(user.passwordHash, password)))
    return sendProblem(response, 401, 'Invalid credentials')
  const token = jwt.sign({}, secret, {
    subject: user.id,
    expiresIn: '1d',
    issuer: 'competitor',
    audience: 'competitor',
  })
  response.json({ message: 'Login successful', token })
})

app.get('/api/users/profile', authenticate, (request, response) => {
  const { id, username } = request.user
  response.json({ user: { id, username } })
})

app.post('/api/chats/send', authenticate, (request, response) => {
  const { message } = request.body
  if (!isText(message, 1, 4096)) return sendProblem(response, 422, 'Validation failed')
  broadcast(request.user, message)
  response.json({ message: 'Message sent successfully' })
})

sockets.use((socket, next) => {
  const user = findUser(socket.handshake.headers.authorization)
  if (!user) return next(new Error('Invalid token'))
  socket.data.user = user
  next()
})

sockets.on('connection', (socket) => {
  socket.on('message', ({ message }) => {
    if (isText(message, 1, 4096)) broadcast(socket.data.user, message)
  })
})

server.listen(Number(process.env.PORT), '127.0.0.1')

function authenticate(request, response, next) {
  const user = findUser(request.headers.authorization)
  if (!user) return sendProblem(response, 401, 'Invalid token')
  request.user = user
  next()
}

function findUser(authorization) {
  try {
    const token = authorization?.startsWith('Bearer ') ? authorization.slice(7) : ''
    const claims = jwt.verify(token, secret, {
      algorithms: ['HS256'],
      issuer: 'competitor',
      audience: 'competitor',
    })
    return usersById.get(claims.sub)
  } catch {
    return undefined
  }
}

function broadcast(user, message) {
  const id = randomUUID()
  const sentAt = new Date()
  insertMessage.run(id, user.id, sentAt.getTime(), message)
  sockets.emit('message', {
    event: 'message',
    id,
    message,
    user: { id: user.id, username: user.username },
    sentAt: sentAt.toISOString(),
  })
}

function isText(value, minLength, maxLength) {
  return typeof value === 'string' && value.length >= minLength && value.length <= maxLength
}

function sendProblem(response, status, title) {
  response.status(status).type('application/problem+json').send(JSON.stringify({ title, status }))
}
