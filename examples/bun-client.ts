// A client in one file with types from the documents. It registers, logs in, connects, sends a message and
// waits until it receives that message. If the connection is lost, it resumes after the last received message.
//
//   BASE_URL=http://localhost:3000 bun examples/bun-client.ts
import type { components } from '../src/contract/types.gen.ts'

type Schemas = components['schemas']
type Frame = Schemas['ChatMessage'] | Schemas['ErrorFrame'] | Schemas['GapFrame']

const base = process.env.BASE_URL ?? 'http://localhost:3000'
const credentials: Schemas['RegisterRequest'] = {
  username: process.env.PARLEY_USERNAME ?? 'exampleuser',
  password: process.env.PARLEY_PASSWORD ?? 'securepassword',
}

async function post<Answer>(path: string, body: object): Promise<Answer> {
  const response = await fetch(new URL(path, base), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.ok) return (await response.json()) as Answer
  const problem = (await response.json()) as Schemas['Problem']
  throw new Error(`${path}: ${problem.code}: ${problem.detail}`, { cause: problem })
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && (error.cause as Schemas['Problem'] | undefined)?.code === 'username-taken'
}

await post<Schemas['RegisterResponse']>('/api/auth/register', credentials).catch((error) => {
  if (!isTaken(error)) throw error
})
const { token } = await post<Schemas['LoginResponse']>('/api/auth/login', credentials)

const url = new URL('/', base.replace(/^http/, 'ws'))
const idempotencyKey = crypto.randomUUID()
let done = false

function connect(): void {
  const socket = new WebSocket(url, ['parley.v1', `bearer.${token}`])

  socket.onmessage = ({ data }) => {
    const frame: Frame = JSON.parse(data)
    if (frame.event === 'error') return console.error(frame.problem.detail)
    if (frame.event === 'gap') return console.error('Some of what was missed is not kept any more.')
    url.searchParams.set('after', frame.id)
    console.log(`${frame.user.username}: ${frame.message}`)
    if (frame.idempotencyKey !== idempotencyKey) return
    done = true
    socket.send(JSON.stringify({ event: 'disconnect' } satisfies Schemas['DisconnectFrame']))
  }
  // The idempotency key makes it safe to send the message again on each connection until it arrives.
  socket.onopen = () => {
    const frame: Schemas['SendFrame'] = { event: 'message', message: 'Hello from Bun!', idempotencyKey }
    socket.send(JSON.stringify(frame))
  }
  socket.onclose = ({ code }) => {
    if (!done) setTimeout(connect, code === 1012 ? 1000 * Math.random() : 1000)
  }
}
connect()
