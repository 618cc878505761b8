// A client in one file with types from the documents. It registers, logs in, connects, sends a message and
// waits until the message is stored. If the connection is lost, it resumes after the last received message.
//
//   BASE_URL=http://localhost:3000 bun examples/bun-client.ts
import type { components } from '../src/contract/types.gen.ts'

type Schemas = components['schemas']
type Frame = Schemas[
  | 'ChatMessage'
  | 'ErrorFrame'
  | 'GapFrame'
  | 'CaughtUpFrame'
  | 'StoredFrame'
  | 'PongFrame']

const base = process.env.BASE_URL ?? 'http://localhost:3000'
const credentials: Schemas['RegisterRequest'] = {
  username: process.env.PARLEY_USERNAME ?? 'exampleuser',
  password: process.env.PARLEY_PASSWORD ?? 'securepassword',
}

async function request<Body>(path: string, init: RequestInit): Promise<Body> {
  const response = await fetch(new URL(path, base), init)
  if (response.ok) return (await response.json()) as Body
  const problem = (await response.json()) as Schemas['Problem']
  throw new Error(`${path}: ${problem.code}: ${problem.detail}`, { cause: problem })
}

const post = <Body>(path: string, body: object) =>
  request<Body>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

await post<Schemas['RegisterResponse']>('/api/auth/register', credentials).catch((error: Error) => {
  if ((error.cause as Schemas['Problem'] | undefined)?.code !== 'username-taken') throw error
})
const { token } = await post<Schemas['LoginResponse']>('/api/auth/login', credentials)

// Start from the end of the log, so that no message is missed between this request and the connection.
const headers = { authorization: `Bearer ${token}` }
const { head } = await request<Schemas['MessagePage']>('/api/chats/messages?limit=1', { headers })
const url = new URL('/', base.replace(/^http/, 'ws'))
url.searchParams.set('after', head)

/** Codes after which the same token or the same request would be refused again. */
const finalCodes = [1000, 1008, 3000, 3003]
const idempotencyKey = crypto.randomUUID()
let done = false

function connect(): void {
  // `parley.refusals` lets the server explain a refused handshake with a close frame.
  const socket = new WebSocket(url, ['parley.v1', 'parley.refusals', `bearer.${token}`])
  let heardAt = Date.now()
  // A connection can be dead without a close event, so ask for a sign of life.
  const pings = setInterval(() => {
    if (Date.now() - heardAt > 30_000) socket.close()
    else if (socket.readyState === WebSocket.OPEN) socket.send('{"event":"ping"}')
  }, 10_000)

  socket.onmessage = ({ data }) => {
    heardAt = Date.now()
    const frame: Frame = JSON.parse(data)
    if (frame.event === 'error') return console.error(frame.problem.detail)
    if (frame.event === 'gap') console.error('Some of the missed messages are no longer stored.')
    if (frame.event === 'message') console.log(`${frame.user.username}: ${frame.message}`)
    if (frame.event === 'message') url.searchParams.set('after', frame.id)
    if (frame.event === 'gap' || frame.event === 'caught-up') url.searchParams.set('after', frame.cursor)
    // The broadcast or a `stored` frame confirms the message. Unknown events are ignored.
    if (!('idempotencyKey' in frame) || frame.idempotencyKey !== idempotencyKey) return
    done = true
    socket.send(JSON.stringify({ event: 'disconnect' } satisfies Schemas['DisconnectFrame']))
  }
  // The idempotency key makes it safe to send the message again on each connection until it is confirmed.
  socket.onopen = () => {
    if (socket.protocol !== 'parley.v1') return
    const frame: Schemas['SendFrame'] = { event: 'message', message: 'Hello from Bun!', idempotencyKey }
    socket.send(JSON.stringify(frame))
  }
  socket.onclose = ({ code, reason }) => {
    clearInterval(pings)
    if (done) return
    if (!finalCodes.includes(code)) return void setTimeout(connect, 500 + 1000 * Math.random())
    console.error(`Closed: ${code} ${reason}`)
    process.exitCode = 1
  }
}
connect()
