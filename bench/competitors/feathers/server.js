// A competitor: the same API on FeathersJS 5 with Koa, Knex, SQLite and Socket.IO, as its generator sets it up. Koa
// serves HTTP and Socket.IO the WebSocket. libsql, which contains SQLite, stands in for better-sqlite3, whose
// installation runs a script.

import { AuthenticationService, authenticate, JWTStrategy } from '@feathersjs/authentication'
import { LocalStrategy, passwordHash } from '@feathersjs/authentication-local'
import { feathers } from '@feathersjs/feathers'
import { KnexService } from '@feathersjs/knex'
import { bodyParser, errorHandler, koa, parseAuthentication, rest } from '@feathersjs/koa'
import { Ajv, resolve, hooks as schemaHooks } from '@feathersjs/schema'
import socketio from '@feathersjs/socketio'
import { getValidator, Type } from '@feathersjs/typebox'
import knex from 'knex'

const database = knex({
  client: 'better-sqlite3',
  connection: { filename: process.env.DATABASE },
  useNullAsDefault: true,
})
// A commit waits for the disk: `synchronous` is full unless it is changed.
await database.raw('pragma journal_mode = wal')
await database.schema.createTable('users', (table) => {
  table.increments('id')
  table.string('username').unique()
  table.string('password')
})
await database.schema.createTable('messages', (table) => {
  table.increments('id')
  table.integer('userId').references('id').inTable('users')
  table.bigint('sentAt')
  table.string('message')
})

const app = koa(feathers())
app.set('authentication', {
  entity: 'user',
  service: 'users',
  secret: crypto.randomUUID(),
  authStrategies: ['jwt', 'local'],
  jwtOptions: { header: { typ: 'access' }, audience: 'competitor', algorithm: 'HS256', expiresIn: '1d' },
  local: { usernameField: 'username', passwordField: 'password' },
})
app.use(errorHandler())
app.use(parseAuthentication())
app.use(bodyParser())
app.configure(rest())
app.configure(
  socketio({
    transports: ['websocket'],
    serveClient: false,
    // The load generator does not answer Engine.IO pings. With this interval, none is sent during a measurement.
    pingInterval: 3_600_000,
  }),
)

const ajv = new Ajv()
const userValidator = getValidator(
  Type.Object(
    {
      username: Type.String({ minLength: 3, maxLength: 32 }),
      password: Type.String({ minLength: 8, maxLength: 128 }),
    },
    { additionalProperties: false },
  ),
  ajv,
)
const messageValidator = getValidator(
  Type.Object({ message: Type.String({ minLength: 1, maxLength: 4096 }) }, { additionalProperties: false }),
  ajv,
)

app.use('users', new KnexService({ Model: database, name: 'users' }), {
  methods: ['get', 'find', 'create'],
  events: [],
})
app.service('users').hooks({
  around: {
    all: [schemaHooks.resolveExternal(resolve({ password: async () => undefined }))],
    get: [authenticate('jwt')],
    find: [authenticate('jwt')],
  },
  before: {
    create: [
      schemaHooks.validateData(userValidator),
      schemaHooks.resolveData(resolve({ password: passwordHash({ strategy: 'local' }) })),
    ],
  },
})

const authentication = new AuthenticationService(app)
authentication.register('jwt', new JWTStrategy())
authentication.register('local', new LocalStrategy())
app.use('authentication', authentication)

app.use('profile', {
  find: async ({ user: { id, username } }) => ({ user: { id, username } }),
})
app.service('profile').hooks({ around: { all: [authenticate('jwt')] } })

app.use('messages', new KnexService({ Model: database, name: 'messages' }), {
  methods: ['find', 'create'],
  events: [],
})
app.service('messages').hooks({
  around: { all: [authenticate('jwt')] },
  before: {
    create: [
      schemaHooks.validateData(messageValidator),
      schemaHooks.resolveData(
        resolve({
          userId: async (_, __, context) => context.params.user.id,
          sentAt: async () => Date.now(),
        }),
      ),
    ],
  },
})

app.on('login', (_, { connection }) => {
  if (connection) app.channel('chat').join(connection)
})
app.service('messages').publish('created', () => app.channel('chat'))

await app.listen(Number(process.env.PORT), '127.0.0.1')
