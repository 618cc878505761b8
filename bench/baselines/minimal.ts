// A minimal server: it does all of the documented work of reads, sends and messages by socket in as little JavaScript
// as possible. Its rates are the limit of this API on Bun: a server cannot meet a target that this one misses.
//
// Each request and frame is checked as in Parley, and each message is committed to a row with the same columns and
// indexes. What is left out is everything that one valid request after the other does not need: layers, types, rooms,
// repeated messages, logs, metrics, CORS, and errors that explain anything.
//
// Environment: DATABASE is a database of Parley that no other process uses, JWT_SECRET the secret of its tokens, and
// READ and SEND are responses of Parley (`SampleResponse` as JSON), whose headers and body are repeated.

import { Database } from 'bun:sqlite'
import { statSync } from 'node:fs'
import openapi from '../../spec/openapi.yaml'
import { importSecret } from '../../src/auth/secrets.ts'
import { createTokens } from '../../src/auth/tokens.ts'
import { createMessageIds } from '../../src/chats/message-ids.ts'
import { jsonMediaType, traceparentHeader, versionHeader } from '../../src/contract/operations.ts'
import { createDataVersion } from '../../src/storage/sqlite/data-version.ts'
import type { SampleResponse } from '../rows/minimal.ts'

interface Window {
  used: number
  /** Monotonic seconds. */
  endsAt: number
}

interface Identity {
  user: { id: string; username: string }
  tokenId: string
  tokensValidFrom: number
  /** Seconds since the epoch. */
  expiresAt: number
  /** The version of the database when the account was read. */
  version: number
  /** The JSON text of the profile. */
  profile: string
  reads: Window
  sends: Window
}

interface Message {
  user: Identity['user']
  message: string
  idempotencyKey: string | null
  id: string
}

interface Batch extends PromiseWithResolvers<void> {
  messages: Message[]
}

const { DATABASE: file = '', JWT_SECRET: secret = '', READ = '', SEND = '' } = process.env
const maxBodyBytes = openapi['x-limits']['request-body-bytes']
const { minLength, maxLength } = openapi.components.schemas.MessageText
const decoder = new TextDecoder('utf-8', { fatal: true })
const topic = 'chat'

const database = new Database(file, { readwrite: true, create: false })
database.run('pragma synchronous = full')
database.run('pragma secure_delete = on')
const databaseVersion = createDataVersion(database)
const findUser = database.prepare<Identity['user'], [string, number, string]>(
  `select id, username from users where id = ?1 and tokens_valid_from = ?2 and removed_at is null
    and not exists (select 1 from revoked_tokens where id = ?3)`,
)
const insert = database.prepare(
  'insert into messages (sequence, user_id, idempotency_key, sent_at, frame) values (?, ?, ?, ?, ?)',
)
const log = database
  .query<{ epoch: string; head: number | null }, []>(
    'select incarnation as epoch, (select max(sequence) from messages) as head from message_log',
  )
  .get()
const ids = createMessageIds(log?.epoch ?? '')
const tokens = createTokens({ keys: { current: await importSecret(secret), previous: [] }, ttlSeconds: 0 })

const identities = new Map<string, Identity>()
let head = log?.head ?? 0
let batch: Batch | undefined

const refuse = (reason: string): never => {
  throw new Error(reason)
}

/** Reads the account again if any has changed. */
function validate(identity: Identity): void {
  const current = databaseVersion()
  if (identity.version === current) return
  if (!findUser.get(identity.user.id, identity.tokensValidFrom, identity.tokenId)) refuse('invalid token')
  identity.version = current
}

async function identify(authorization: string): Promise<Identity> {
  const claims = await tokens.verify(authorization.slice('Bearer '.length))
  if (!claims) return refuse('invalid token')
  const { userId, tokenId, tokensValidFrom, expiresAt } = claims
  const user = findUser.get(userId, tokensValidFrom, tokenId) ?? refuse('invalid token')
  const identity: Identity = {
    user,
    tokenId,
    tokensValidFrom,
    expiresAt,
    version: databaseVersion(),
    profile: JSON.stringify({ user }),
    reads: { used: 0, endsAt: 0 },
    sends: { used: 0, endsAt: 0 },
  }
  identities.set(authorization, identity)
  return identity
}

/** The headers of the responses of one operation, which are changed for each response, and its rate limit. */
function operation(json: string) {
  const sample: SampleResponse = JSON.parse(json)
  const headers = new Headers({ ...sample.headers, 'content-type': jsonMediaType })
  const [, policy = '', quota, seconds] =
    /^"(.+)";q=(\d+);w=(\d+)$/.exec(headers.get('ratelimit-policy') ?? '') ?? []
  return {
    headers,
    init: { headers },
    text: sample.text,
    policy,
    quota: Number(quota),
    seconds: Number(seconds),
  }
}

const read = operation(READ)
const send = operation(SEND)
/** The path of a message without its id, which begins with the epoch. */
const [messagePath = ''] = send.headers.get('content-location')?.split(log?.epoch ?? '') ?? []

function count(window: Window, { quota, seconds }: typeof read, now: number): void {
  if (window.endsAt <= now) {
    window.used = 0
    window.endsAt = now + seconds
  }
  if (++window.used > quota) refuse('rate limit exceeded')
}

/** The checks of a request before its body is read. */
function admit(request: Request, identity: Identity, window: Window, limit: typeof read): void {
  const { headers } = request
  if (identity.expiresAt <= Math.floor(Date.now() / 1000)) refuse('expired token')
  validate(identity)
  count(window, limit, Math.floor(performance.now() / 1000))
  if (headers.get(versionHeader) !== null || headers.get(traceparentHeader) !== null) refuse('not supported')
}

function setHeaders({ headers, policy, quota }: typeof read, window: Window): void {
  headers.set('x-request-id', crypto.randomUUID())
  const seconds = window.endsAt - Math.floor(performance.now() / 1000)
  headers.set('ratelimit', `"${policy}";r=${quota - window.used};t=${seconds}`)
}

function checkMessage(value: unknown): { message: string; idempotencyKey?: string } {
  if (typeof value !== 'object' || value === null) return refuse('no object')
  for (const name in value) {
    if (name !== 'message' && name !== 'event' && name !== 'idempotencyKey') refuse('unknown property')
  }
  const { message, event = 'message', idempotencyKey = '' } = value as Record<string, unknown>
  if (typeof message !== 'string' || message.length < minLength || message.length > maxLength)
    return refuse('message')
  if (!message.isWellFormed() || event !== 'message' || typeof idempotencyKey !== 'string')
    return refuse('frame')
  return value as { message: string }
}

const store = database.transaction((messages: Message[]) => {
  const now = Date.now()
  const sentAt = new Date(now).toISOString()
  return messages.map((each, index) => {
    const { user, message, idempotencyKey } = each
    const sequence = head + index + 1
    each.id = ids.encode(sequence)
    const frame = JSON.stringify({ event: 'message', id: each.id, message, user, sentAt })
    insert.run(sequence, user.id, idempotencyKey, now, frame)
    return frame
  })
})

function commit(): void {
  const { messages, resolve } = batch as Batch
  batch = undefined
  const frames = store(messages)
  // SQLite writes to a deleted file without an error.
  if (!statSync(file, { throwIfNoEntry: false })) process.exit(1)
  head += frames.length
  for (const frame of frames) server.publish(topic, frame)
  resolve()
}

/** Resolves when the message is durable. The messages of a commit share the promise. */
function append(message: Message): Promise<void> {
  if (!batch) {
    batch = { messages: [], ...Promise.withResolvers<void>() }
    setImmediate(commit)
  }
  batch.messages.push(message)
  return batch.promise
}

function respondToRead(request: Request, identity: Identity): Response {
  admit(request, identity, identity.reads, read)
  setHeaders(read, identity.reads)
  return new Response(identity.profile, read.init)
}

async function respondToSend(request: Request): Promise<Response> {
  const { headers } = request
  const authorization = headers.get('authorization') ?? ''
  const identity = identities.get(authorization) ?? (await identify(authorization))
  admit(request, identity, identity.sends, send)
  if (headers.get('content-type') !== jsonMediaType || headers.get('content-encoding') !== null)
    return refuse('media type')
  if (!(Number(headers.get('content-length') ?? Number.NaN) <= maxBodyBytes)) return refuse('length')
  const { message } = checkMessage(JSON.parse(decoder.decode(await request.bytes())))
  validate(identity)
  const appended = {
    user: identity.user,
    message,
    idempotencyKey: headers.get('idempotency-key'),
    id: '',
  }
  await append(appended)
  send.headers.set('content-location', messagePath + appended.id)
  setHeaders(send, identity.sends)
  return new Response(send.text, send.init)
}

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT),
  error: () => new Response(null, { status: 400 }),
  routes: {
    '/livez': new Response(),
    '/api/users/profile': {
      GET(request) {
        const authorization = request.headers.get('authorization') ?? ''
        const identity = identities.get(authorization)
        if (identity) return respondToRead(request, identity)
        return identify(authorization).then((identified) => respondToRead(request, identified))
      },
    },
    '/api/chats/send': { POST: respondToSend },
    '/': async (request, server) => {
      const identity = await identify(request.headers.get('authorization') ?? '')
      return server.upgrade(request, { data: { identity, heardAt: 0 } })
        ? undefined
        : new Response(null, { status: 426 })
    },
  },
  websocket: {
    data: {} as { identity: Identity; heardAt: number },
    open: (socket) => {
      socket.subscribe(topic)
    },
    message({ data }, text) {
      const now = Math.floor(performance.now() / 1000)
      const { identity } = data
      data.heardAt = now
      if (typeof text !== 'string' || identity.expiresAt <= Math.floor(Date.now() / 1000)) refuse('frame')
      const { message, idempotencyKey = null } = checkMessage(JSON.parse(text as string))
      count(identity.sends, send, now)
      validate(identity)
      append({ user: identity.user, message, idempotencyKey, id: '' })
    },
  },
})
